/** What a writer of Parquet files is told, and what it does with rows. */
import type { Columns } from '../values/columns.ts'
import type { SqlColumn } from '../warehouse.ts'

export type ParquetOptions = {
  /** It exists, and is empty. */
  readonly folder: string
  readonly columns: readonly SqlColumn[]
  /** A folder COLUMN=value for each of this column's values, null as NULL; the files in it leave the column out. */
  readonly partitionBy?: string
  readonly rowsPerFile?: number
}

export interface ParquetWriter {
  /**
   * Rows behind those before, by the names of the columns; a file is complete whenever there are enough for one. Nothing of them is kept.
   */
  append(rows: Columns): Promise<void>
  /** Writes what is left, and one file without rows when there were none; not so with folders, which have nobody's rows then. */
  finish(): Promise<void>
  /** At any time; what is not finished is no use. */
  close(): void
}
