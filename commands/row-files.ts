/** Rows as files in a folder: what may be asked for, and whoever writes them batch by batch. */
import { join } from 'node:path'
import { wireParquet } from '../config/wire.ts'
import type { Columns } from '../utilities/columns.ts'
import { Problem } from '../utilities/problem.ts'
import type { SqlColumn } from '../utilities/warehouse/warehouse.ts'
import type { Options } from './command.ts'
import { count } from './console.ts'

export interface RowFiles {
  append(rows: Columns): Promise<void>
  /** Every file is complete once it resolves; one without rows when there were none. */
  finish(): Promise<void>
  close(): Promise<void>
}

export type Asked = { readonly out: string; readonly format: 'parquet' | 'csv'; readonly partitionBy: string | undefined }

const usage = (what: string, todo: string) => new Problem(what, todo, { usage: true })

export function asked({ out, format = 'parquet', partitionBy }: Options): Asked {
  if (typeof out !== 'string' || out === '') throw usage('--out is missing', 'Name the folder to make, e.g. --out data/loan_risk_v1.')
  if (format !== 'parquet' && format !== 'csv') throw usage(`--format ${String(format)} is not known`, 'Use parquet or csv.')
  if (partitionBy !== undefined && format === 'csv') throw usage('--partition-by is for Parquet only', 'Leave it out, or use --format parquet.')
  return { out, format, partitionBy: partitionBy as string | undefined }
}

/** Refuses what the rows of this version have no column for. */
export function checkPartition({ partitionBy }: Asked, version: string, columns: readonly SqlColumn[]): void {
  if (partitionBy === undefined || columns.some(({ name }) => name === partitionBy)) return
  throw usage(`${version} has no column ${partitionBy}`, `Its columns are ${columns.map(({ name }) => name).join(', ')}.`)
}

/** What was done, for a person. */
export const wroteText = (rows: number, version: string, out: string, files: number) =>
  `wrote ${count(rows)} rows of ${version} to ${out} (${count(files)} ${files === 1 ? 'file' : 'files'})`

export type FilesOptions = Pick<Asked, 'format' | 'partitionBy'> & {
  /** It exists, and is empty. */
  readonly folder: string
  /** Of the one file, where there is only one. */
  readonly name: string
  readonly columns: readonly SqlColumn[]
}

export async function openRowFiles({ folder, name, columns, format, partitionBy }: FilesOptions): Promise<RowFiles> {
  if (format === 'parquet') return wireParquet({ folder, columns, ...(partitionBy === undefined ? {} : { partitionBy }) })
  const { openCsv } = await import('./csv-file.ts')
  return openCsv(join(folder, `${name}.csv`), columns)
}
