/** Schema versions as Glue has them: new ones are being checked for a while, and what was just written may not be seen yet. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { GlueDoor } from './client.ts'
import type { Registered } from '../registry.ts'

/** 'foreign' is no Avro: another program's, which has nothing to say here. */
export type NotInForce = 'missing' | 'pending' | 'failed' | 'foreign'

/** Without its labels. */
export async function readVersion(glue: GlueDoor, id: string): Promise<Registered | NotInForce> {
  const answer = await glue.ask('getSchemaVersion', { SchemaVersionId: id }, 'missing')
  if (answer === 'missing' || answer.Status === 'DELETING') return 'missing'
  if (answer.Status === 'PENDING') return 'pending'
  if (answer.Status !== 'AVAILABLE') return 'failed'
  if (answer.DataFormat !== 'AVRO') return 'foreign'
  return {
    id,
    subject: answer.SchemaArn!.split('/').at(-1)!,
    number: answer.VersionNumber!,
    definition: answer.SchemaDefinition!,
    labels: {},
  }
}

/** Waits as long as it is missing or being checked; the last answer counts. */
export async function settledVersion(
  glue: GlueDoor,
  id: string,
  limits: { readonly pace: number; readonly seenMs: number; readonly checkedMs: number },
): Promise<Registered | NotInForce> {
  const waits = pauses(limits.checkedMs)
  let missingMs = 0
  for (;;) {
    const version = await readVersion(glue, id)
    const pause = waits.next()
    if (typeof version !== 'string' || version === 'failed' || version === 'foreign' || pause.done || missingMs > limits.seenMs)
      return version
    if (version === 'missing') missingMs += pause.value
    await sleep(pause.value * limits.pace)
  }
}

/** The id and status of each version of the schema; empty when there is no such schema. */
export async function listVersions(
  glue: GlueDoor,
  registry: string,
  subject: string,
): Promise<readonly { readonly id: string; readonly inForce: boolean }[]> {
  const found: { id: string; inForce: boolean }[] = []
  for (let token: string | undefined; ;) {
    const answer = await glue.ask(
      'listSchemaVersions',
      { SchemaId: { RegistryName: registry, SchemaName: subject }, MaxResults: 100, ...(token !== undefined && { NextToken: token }) },
      'missing',
    )
    if (answer === 'missing') return []
    for (const { SchemaVersionId, Status } of answer.Schemas ?? []) found.push({ id: SchemaVersionId!, inForce: Status === 'AVAILABLE' })
    if (!answer.NextToken) return found
    token = answer.NextToken
  }
}

export async function listSubjects(glue: GlueDoor, registry: string): Promise<readonly string[]> {
  const found: string[] = []
  for (let token: string | undefined; ;) {
    const answer = await glue.ask(
      'listSchemas',
      { RegistryId: { RegistryName: registry }, MaxResults: 100, ...(token !== undefined && { NextToken: token }) },
      'missing',
    )
    if (answer === 'missing') return []
    for (const { SchemaName, SchemaStatus } of answer.Schemas ?? []) if (SchemaStatus !== 'DELETING') found.push(SchemaName!)
    if (!answer.NextToken) return found
    token = answer.NextToken
  }
}

/** Longer and longer pauses in milliseconds, together no longer than this. */
export function* pauses(altogetherMs: number): Generator<number, undefined> {
  for (let [pauseMs, spentMs] = [100, 0]; spentMs + pauseMs <= altogetherMs; pauseMs = Math.min(3_000, pauseMs * 1.5)) {
    spentMs += pauseMs
    yield pauseMs
  }
}

/** Glue may write a definition down in another layout. */
export function sameDefinition(one: string, other: string): boolean {
  if (one === other) return true
  try {
    return isDeepStrictEqual(JSON.parse(one), JSON.parse(other))
  } catch {
    return false
  }
}
