/** How far readers have come, kept in Redshift, and what names a write that saves it. */
import { createHash } from 'node:crypto'
import { ownTable, type Target } from '../sql/names.ts'
import { textLiteral } from './literals.ts'
import type { Waiting } from './patience.ts'
import type { Transactions } from './transactions.ts'
import type { Progress } from '../warehouse.ts'

/**
 * `at` is the warehouse's own time of the write, to the microsecond: no two states are the same, even when somebody sets the reader back by
 * hand.
 */
export type SavedProgress = { readonly next: number; readonly at: string }

/**
 * Writers take it first of all, one at a time: two transactions that change the same tables at once would be undone with error 1023.
 * Nobody's reading of rows is held up by it.
 */
export const lockText = (target: Target) => `LOCK ${ownTable(target, 'tidemark_progress')}`

const textOf = (target: Target, reader: string) =>
  `SELECT next_offset, updated_at::varchar FROM ${ownTable(target, 'tidemark_progress')} WHERE reader = ${textLiteral(reader)}`

/** The last of them returns what was saved. */
export const saveStatements = (target: Target, { reader, next }: Progress): readonly string[] => [
  `DELETE FROM ${ownTable(target, 'tidemark_progress')} WHERE reader = ${textLiteral(reader)}`,
  `INSERT INTO ${ownTable(target, 'tidemark_progress')} (reader, next_offset, updated_at) VALUES (${textLiteral(reader)}, ${next}, ` +
    'SYSDATE)',
  textOf(target, reader),
]

export const savedFrom = ([row]: readonly (readonly unknown[])[]): SavedProgress | undefined =>
  row && { next: Number(row[0]), at: String(row[1]) }

export const savedOf = async (
  target: Target,
  { read }: Transactions,
  reader: string,
  waiting?: Waiting,
): Promise<SavedProgress | undefined> => savedFrom((await read([textOf(target, reader)], waiting))[0]!)

/**
 * Names a write by what it writes and the progress that it goes on from: a process that crashed, and the one after it, give the same name
 * to the same write, and two different writes never share one. Undefined where nothing was saved before: nothing then tells a first write
 * from the first after everything was taken away.
 */
export function writeToken(
  before: SavedProgress | undefined,
  { reader, next }: Progress,
  set: string,
  content: string,
): string | undefined {
  return before && hashOf(JSON.stringify([reader, before.next, before.at, next, set, content]))
}

export const hashOf = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}
