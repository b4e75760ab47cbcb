/** Rows of SQLite's tables as columns, in chunks: a transaction kept open would hold back the clean-up of the file. */
import type { Column, Columns } from '../../values/columns.ts'
import type { SqlColumn } from '../../warehouse.ts'
import type { Sqlite } from '../database.ts'
import { columnFrom } from '../../sql/cells.ts'
import { columnOfStored, exactPrefix, type StoredColumn } from '../../sql/declared.ts'
import { identifier } from '../../sql/names.ts'
import { decimalsFrom } from './decimals.ts'
import type { Value } from '../fill.ts'

export const rowsPerChunk = 10_000

export type Read = {
  readonly table: string
  /** Every column of the table, and those of them that are wanted. */
  readonly stored: readonly StoredColumn[]
  readonly wanted: readonly StoredColumn[]
}

/** The columns that hold what was written, without those that SQLite alone needs. */
export const written = (stored: readonly StoredColumn[]) => stored.filter(({ name }) => !name.startsWith(exactPrefix))

/** The rows for which the rest of the statement holds, in its order. */
export function readRows(db: Sqlite, { table, stored, wanted }: Read, rest: string, ...args: readonly Value[]): Columns {
  const columns = wanted.map(columnOfStored)
  const exact = wanted.map(({ name }) => exactPrefix + name).filter((name) => stored.some((one) => one.name === name))
  const selected = [...wanted.map(({ name }) => name), ...exact]
  const statement = db.prepare(`SELECT ${selected.map(identifier).join(', ')} FROM ${table} ${rest}`)
  statement.setReturnArrays(true)
  // Only where they are needed: they cost time.
  statement.setReadBigInts(columns.some(({ name, type }) => type === 'bigint' && name !== '_seq'))
  const cells = db.read(() => statement.all(...args)) as unknown as readonly (readonly Value[])[]
  const read = (column: SqlColumn, at: number): Column => {
    const { name, type } = column
    return typeof type === 'object' && 'digits' in type
      ? decimalsFrom(type.scale, cells, at, selected.indexOf(exactPrefix + name))
      : columnFrom(column, cells, at)
  }
  return { count: cells.length, byName: new Map(columns.map((column, at) => [column.name, read(column, at)])) }
}

/**
 * The next rows of the version with first <= _seq <= last, and the `_seq` to go on from; undefined when there are no more. All rows of a
 * `_seq` are in one chunk.
 */
export function readChunk(
  db: Sqlite,
  read: Read,
  version: number,
  first: number,
  last: number,
  most = rowsPerChunk,
): { readonly rows: Columns; readonly next: number } | undefined {
  const inOrder = `ORDER BY ${read.stored.some(({ name }) => name === '_key') ? '"_seq", "_key"' : '"_seq"'}`
  const seqs = db.prepare(`SELECT "_seq" FROM ${read.table} WHERE "_version" = ? AND "_seq" >= ? ORDER BY "_seq" LIMIT 1 OFFSET ?`)
  const bound = db.read(() => seqs.get(version, first, most - 1)?.['_seq'] as number | undefined) ?? last
  const until = Math.min(bound, last)
  const rows = readRows(db, read, `WHERE "_version" = ? AND "_seq" BETWEEN ? AND ? ${inOrder}`, version, first, until)
  return rows.count === 0 ? undefined : { rows, next: until + 1 }
}
