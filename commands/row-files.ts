/** Rows as files in a folder: what may be asked for, and whoever writes them batch by batch. */
import { join } from 'node:path'
import { wireParquet } from '../config/files.ts'
import type { MakeFiles, RowFiles } from '../use-cases/row-files.ts'
import { count } from '../utilities/values/digits.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'
import type { Options } from './command.ts'
import { filled } from './folder.ts'
import { usage } from './words.ts'

export type Asked = { readonly out: string; readonly format: 'parquet' | 'csv'; readonly partitionBy: string | undefined }

export function asked({ out, format = 'parquet', partitionBy }: Options): Asked {
  if (typeof out !== 'string' || out === '') throw usage('--out is missing', 'Name the folder to make, e.g. --out data/rows.')
  if (format !== 'parquet' && format !== 'csv') throw usage(`--format ${String(format)} is not known`, 'Use parquet or csv.')
  if (partitionBy !== undefined && format === 'csv') {
    throw usage('--partition-by is for Parquet only', 'Leave it out, or use --format parquet.')
  }
  return { out, format, partitionBy: partitionBy as string | undefined }
}

/** What was done, for a person. */
export const wroteText = (rows: number, version: string, out: string, files: number) =>
  `wrote ${count(rows)} rows of ${version} to ${out} (${count(files)} ${files === 1 ? 'file' : 'files'})`

type Making = { readonly signal: AbortSignal; readonly withRejects?: boolean }

/** Makes the folder that was asked for; `name` is that of the one file, where there is only one. */
export const rowFiles =
  (asked: Asked, name: string, { signal, ...options }: Making): MakeFiles =>
  (columns, fill) =>
    filled(
      asked.out,
      async ({ folder, rejects }) => {
        const files = await openRowFiles(asked, folder, name, columns)
        try {
          await fill(files.append, rejects)
          signal.throwIfAborted()
          await files.finish()
          signal.throwIfAborted()
        } finally {
          await files.close()
        }
      },
      options,
    )

/** The folder exists, and is empty. */
async function openRowFiles(asked: Asked, folder: string, name: string, columns: readonly SqlColumn[]): Promise<RowFiles> {
  const { format, partitionBy } = asked
  if (format === 'parquet') return wireParquet({ folder, columns, ...(partitionBy === undefined ? {} : { partitionBy }) })
  const { openCsv } = await import('./csv-file.ts')
  return openCsv(join(folder, `${name}.csv`), columns)
}
