/** Rows read back from Redshift, in statements that grow: the first answer is there soon, and long ranges take few. */
import type { Columns } from '../values/columns.ts'
import { columnFrom, type Cell } from '../sql/cells.ts'
import { identifier } from '../sql/names.ts'
import { columnOfStored, type StoredColumn } from '../sql/declared.ts'

/**
 * Rows of one statement, whose result is then fetched in pages of about a megabyte: a million rows take about 30 statements and some
 * hundred pages.
 */
export const leastChunk = 10_000
export const mostChunk = 40_000

type Chunk = { readonly from: number; readonly last: number; readonly limit: number }

export function chunkText(table: string, columns: readonly StoredColumn[], version: number, { from, last, limit }: Chunk): string {
  // As text a long number is exact, whoever reads the answer. `_seq` is never so long, and as text it would be sorted as one.
  const isLong = ({ name, type }: StoredColumn) => (type === 'BIGINT' && name !== '_seq') || type.startsWith('NUMERIC')
  const list = columns.map((column) => (isLong(column) ? `${identifier(column.name)}::varchar` : identifier(column.name)))
  const where = `"_version" = ${version} AND "_seq" BETWEEN ${from} AND ${last}`
  return `SELECT ${[...new Set([...list, '"_seq"'])].join(', ')} FROM ${table} WHERE ${where} ORDER BY "_seq" LIMIT ${limit}`
}

/** The rows of a page, which has some, and the `_seq` to go on from. */
export function chunkOf(
  columns: readonly StoredColumn[],
  cells: readonly (readonly Cell[])[],
): { readonly rows: Columns; readonly next: number } {
  const byName = new Map(columns.map((column, i) => [column.name, columnFrom(columnOfStored(column), cells, i)]))
  const seq = columns.findIndex(({ name }) => name === '_seq')
  return { rows: { count: cells.length, byName }, next: Number(cells.at(-1)![seq < 0 ? columns.length : seq]) + 1 }
}
