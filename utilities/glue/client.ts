/**
 * The door to AWS Glue: its calls by name, tried again when it is busy, with trouble put in words. Credentials come from the client's own
 * chain.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Glue } from '@aws-sdk/client-glue'
import { awsRefusal, awsTrouble, isBusy, type AwsService } from '../s3/aws-trouble.ts'

/** The calls that are made, and no other: docs/aws.md lists the permission for each. */
type Calls = Pick<
  Glue,
  | 'getRegistry'
  | 'createRegistry'
  | 'listSchemas'
  | 'getSchema'
  | 'createSchema'
  | 'registerSchemaVersion'
  | 'listSchemaVersions'
  | 'getSchemaVersion'
  | 'checkSchemaVersionValidity'
  | 'querySchemaVersionMetadata'
  | 'putSchemaVersionMetadata'
  | 'removeSchemaVersionMetadata'
  | 'getDatabase'
  | 'createDatabase'
  | 'getTable'
  | 'createTable'
  | 'updateTable'
>
/** The client's methods also take callbacks, which come last in their types. */
type Overloads<Input, Output> = {
  (input: Input, options?: never): Promise<Output>
  (input: never, done: never): void
  (input: never, options: never, done: never): void
}
type Input<C extends keyof Calls> = Glue[C] extends Overloads<infer In, infer _> ? In : never
type Output<C extends keyof Calls> = Glue[C] extends Overloads<infer _, infer Out> ? Out : never

/** Something that was asked for is not there, or is there already: what this means is for the asker to say. */
type Refusal = 'missing' | 'exists'
const refusals: Readonly<Record<string, Refusal>> = { EntityNotFoundException: 'missing', AlreadyExistsException: 'exists' }

export interface GlueDoor {
  readonly place: AwsService
  /** A Problem when there is no answer or a refusal, except those named here, which come back as a word. */
  ask<C extends keyof Calls, R extends Refusal = never>(call: C, input: Input<C>, ...expected: readonly R[]): Promise<Output<C> | R>
  /** The server's clock as it said last, against this machine's: milliseconds that it is ahead. */
  aheadMs(): number | undefined
  close(): void
}

const requestHandler = { connectionTimeout: 3_000, requestTimeout: 20_000, throwOnRequestTimeout: true }
const tries = 3
/** Beyond the client's own attempts, which end after a second or two. */
const busyPausesMs = [1_000, 2_000, 4_000, 8_000, 16_000]

/** `pace` makes every pause that much shorter: for tests. */
export function openGlue(region: string, { pace = 1 } = {}): GlueDoor {
  const client = new Glue({ region, requestHandler, maxAttempts: tries })
  const place: AwsService = { service: 'Glue', region, part: 'registry' }
  let ahead: number | undefined
  // Errors carry the date as well, so it is read before anything is made of the answer.
  const dated: Step = (next) => async (args) => {
    const result = await next(args)
    const at = Date.parse(result.response?.headers?.['date'] ?? '')
    if (!Number.isNaN(at)) ahead = at - Date.now()
    return result
  }
  client.middlewareStack.addRelativeTo(dated as never, { relation: 'after', toMiddleware: 'deserializerMiddleware', name: 'serverClock' })

  const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
    for (const pauseMs of busyPausesMs) {
      try {
        return await work()
      } catch (error) {
        // Glue says so when somebody else changes the same thing just then, and the client lets it be.
        if (!isBusy(error) && (error as Error).name !== 'ConcurrentModificationException') throw error
        await sleep(pauseMs * pace * (0.5 + Math.random() / 2))
      }
    }
    return work()
  }

  return {
    place,
    async ask(call, input, ...expected) {
      const send = client[call].bind(client) as (input: unknown) => Promise<never>
      try {
        return await patiently(() => send(input))
      } catch (error) {
        const refusal = refusals[(error as Error).name]
        if (refusal && (expected as readonly Refusal[]).includes(refusal)) return refusal as never
        const told = awsTrouble(error, place)
        throw told instanceof Error && '$metadata' in told ? awsRefusal(told, place) : told
      }
    },
    aheadMs: () => ahead,
    close: () => client.destroy(),
  }
}

type Next = (args: unknown) => Promise<{ readonly response?: { readonly headers?: Readonly<Record<string, string>> } }>
type Step = (next: Next) => Next
