/** The door to the Redshift Data API: batches of statements that are one transaction each, and their results a page at a time. */
import {
  BatchExecuteStatementCommand,
  CancelStatementCommand,
  DescribeStatementCommand,
  GetStatementResultCommand,
  RedshiftDataClient,
  type ColumnMetadata,
  type Field,
} from '@aws-sdk/client-redshift-data'
import type { Cell } from '../sql/cells.ts'
import { digitsOfDouble } from '../sql/declared.ts'

export type Workgroup = {
  readonly region: string
  readonly workgroup?: string | undefined
  readonly cluster?: string | undefined
  readonly dbUser?: string | undefined
  readonly secretArn?: string | undefined
  readonly database: string
}

export type Page = {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** What asks for the page behind it. */
  readonly next: string | undefined
}

export interface DataApi {
  /**
   * Runs the statements as one transaction and resolves with its id once it has committed. Throws RolledBack when it has not; any other
   * error leaves open whether it has: the same statements with the same token then find the same transaction, and do not run twice.
   * When `cancel` aborts, the transaction is stopped, and its reason is thrown.
   */
  batch(statements: readonly string[], token: string, cancel?: AbortSignal): Promise<string>
  /** A page of the result of a batch's statement, counted from 1. */
  page(batch: string, statement: number, token?: string): Promise<Page>
  close(): void
}

/** The transaction was undone, for the reason in the message. */
export class RolledBack extends Error {
  override readonly name = 'RolledBack'
}

export const mostStatements = 40

/** The service holds an answer back so long, so that a transaction takes few calls. */
const waitSeconds = 20
const requestHandler = { connectionTimeout: 5_000, requestTimeout: 60_000, throwOnRequestTimeout: true }
const [leastPauseMs, mostPauseMs] = [20, 2_000]

export function openDataApi({ region, workgroup, cluster, dbUser, secretArn, database }: Workgroup): DataApi {
  const client = new RedshiftDataClient({ region, requestHandler })
  const keeping =
    (next: Step): Step =>
    async (args) => {
      const result = await next(args)
      await keepIntegers(result.response)
      return result
    }
  client.middlewareStack.addRelativeTo(keeping as never, {
    relation: 'after',
    toMiddleware: 'deserializerMiddleware',
    name: 'exactIntegers',
  })
  const target = { Database: database, WorkgroupName: workgroup, ClusterIdentifier: cluster, DbUser: dbUser, SecretArn: secretArn } as {
    Database: string
  }

  /** Where the service does not hold its answers back, it is asked again less and less often. */
  const outcome = async (id: string, cancel?: AbortSignal): Promise<void> => {
    for (let pauseMs = leastPauseMs; ; pauseMs = Math.min(mostPauseMs, pauseMs * 1.5)) {
      const {
        Status,
        Error: text,
        SubStatements = [],
      } = await client.send(new DescribeStatementCommand({ Id: id, WaitTimeSeconds: waitSeconds }), sendOptions(cancel))
      if (Status === 'FINISHED') return
      if (Status === 'ABORTED') throw new RolledBack('the statement was stopped by a person or by a limit on queries')
      if (Status === 'FAILED') throw new RolledBack(text ?? SubStatements.find((one) => one.Error)?.Error ?? 'no reason was given')
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  const outcomeUnlessCancelled = async (id: string, cancel: AbortSignal): Promise<void> => {
    try {
      cancel.throwIfAborted()
      await outcome(id, cancel)
    } catch (error) {
      if (!cancel.aborted) throw error
      // It may have come to its end meanwhile, which is as good.
      await client.send(new CancelStatementCommand({ Id: id })).catch(() => {})
      throw cancel.reason
    }
  }

  return {
    async batch(statements, token, cancel) {
      if (statements.length > mostStatements) throw new RangeError(`${statements.length} statements in one batch`)
      // What may be cancelled is not waited for before its id is known.
      const asked = { ...target, Sqls: [...statements], ClientToken: token, WaitTimeSeconds: cancel ? 0 : waitSeconds }
      const { Id, Status } = await client.send(new BatchExecuteStatementCommand(asked))
      if (Status !== 'FINISHED') await (cancel ? outcomeUnlessCancelled(Id!, cancel) : outcome(Id!))
      return Id!
    },
    async page(batch, statement, token) {
      const asked = { Id: `${batch}:${statement}`, NextToken: token }
      const { Records = [], ColumnMetadata: about = [], NextToken } = await client.send(new GetStatementResultCommand(asked))
      return {
        columns: about.map(({ name, label }) => label ?? name ?? ''),
        rows: Records.map((row) => row.map((field, i) => cellOf(field, about[i]))),
        next: NextToken || undefined,
      }
    },
    close: () => client.destroy(),
  }
}

const sendOptions = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {})

const integerTypes = new Set(['int2', 'int4', 'int8', 'smallint', 'integer', 'bigint'])

function cellOf(field: Field, about: ColumnMetadata | undefined): Cell {
  if (field.stringValue !== undefined) {
    if (about?.typeName === 'numeric') return decimal(field.stringValue)
    return about?.typeName && integerTypes.has(about.typeName) ? whole(field.stringValue) : field.stringValue
  }
  if (field.longValue !== undefined) return field.longValue
  if (field.doubleValue !== undefined) return field.doubleValue
  if (field.booleanValue !== undefined) return field.booleanValue
  return field.blobValue ? Buffer.from(field.blobValue).toString('hex') : null
}

/** As a number where that is exact. */
const whole = (text: string): number | bigint => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text))

/** As a number where no digit is lost. */
const decimal = (text: string): number | string => (text.replace(/^-?[0.]*|\./g, '').length <= digitsOfDouble ? Number(text) : text)

/** A step on a request's way: with what it is sent, and what comes back. */
type Step = (args: unknown) => Promise<{ readonly response: Answer }>
type Answer = { readonly statusCode?: number; body?: AsyncIterable<Uint8Array> | Uint8Array }

/** Within a text of the answer the quotation marks would be escaped, so nothing in the data can be taken for it. */
const longInteger = /"longValue"\s*:\s*(-?\d{16,})(?=\s*[,}])/g

/** The client reads long integers as doubles, so those that a double cannot hold are handed to it as texts. */
async function keepIntegers(answer: Answer): Promise<void> {
  if (answer.statusCode !== 200 || !answer.body) return
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) chunks.push(chunk)
  answer.body = Buffer.from(Buffer.concat(chunks).toString('utf8').replace(longInteger, '"stringValue":"$1"'))
}
