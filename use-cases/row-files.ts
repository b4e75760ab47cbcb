/** Rows as files in a folder, for use cases that make some. */
import type { Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'

export interface RowFiles {
  append(rows: Columns): Promise<void>
  /** Every file is complete once it resolves; one without rows when there were none. */
  finish(): Promise<void>
  close(): Promise<void>
}

/** How many there are, and where lines that could not be read are kept, if there are any. */
export type MadeFiles = { readonly files: number; readonly rejects: string | null }

/** Puts a folder in place once `fill` is done, and leaves nothing when that fails; `rejects` is a path for lines that cannot be read. */
export type MakeFiles = (
  columns: readonly SqlColumn[],
  fill: (append: (rows: Columns) => Promise<void>, rejects: string) => Promise<void>,
) => Promise<MadeFiles>

/** Refuses what the rows of this version have no column for. */
export function checkPartition(partitionBy: string | undefined, version: string, columns: readonly SqlColumn[]): void {
  if (partitionBy === undefined || columns.some(({ name }) => name === partitionBy)) return
  const names = columns.map(({ name }) => name).join(', ')
  throw new Problem(`${version} has no column ${partitionBy}`, `Its columns are ${names}.`, { usage: true })
}

/** undefined when it was told to stop: what it leaves then is nothing. */
export const unlessAborted = <T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> =>
  work.catch((error: unknown) => (signal.aborted ? undefined : Promise.reject(error)))
