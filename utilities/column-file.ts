/** A file whose columns have names and types of their own, read part by part: labels, and rows that were exported. */
import type { Columns } from './values/columns.ts'
import type { SqlColumn } from './warehouse.ts'

export type FileColumn = SqlColumn & {
  /** Its moments are those of a clock on some wall: nothing says in which zone. */
  readonly withoutZone?: true
}

export interface ColumnFile {
  readonly place: string
  /** In their order, without those that hold lists or structures. */
  readonly columns: readonly FileColumn[]
  /** All rows in order, with these of its columns. */
  read(names: readonly string[], signal?: AbortSignal): AsyncIterable<Columns>
}
