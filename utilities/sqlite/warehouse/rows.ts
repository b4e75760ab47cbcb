/** Moves rows between columns and SQLite, written for speed: in with many rows a statement, out in chunks. */
import { wholeTexts } from '../../values/cell-text.ts'
import { noDay, noFlag, type Column, type Columns } from '../../values/columns.ts'
import { dayText } from '../../values/day.ts'
import { timestampText } from '../../values/timestamp.ts'
import type { SqlColumn } from '../../warehouse.ts'
import type { Sqlite } from '../database.ts'
import { decodeTexts, fillNumbers, fillTexts, fillWith, valuesOf, type Decoded, type Fill, type Value } from '../fill.ts'
import { columnFrom } from '../../sql/cells.ts'
import { identifier } from '../../sql/ddl.ts'
import { columnOfStored, exactPrefix, type StoredColumn } from '../../sql/declared.ts'
import { decimalsFrom, longTexts, nearestDoubles } from './decimals.ts'

/** Measured: more rows a statement gain nothing, fewer lose up to a quarter. */
const rowsPerStatement = 20
const rowsPerChunk = 10_000
const mostParameters = 32_766

/** Inserts the rows, in place of those with the same key, into the table of that name, which has these columns. */
export function insertRows(db: Sqlite, table: string, stored: readonly StoredColumn[], { count, byName }: Columns): void {
  const decoded = decodeTexts([...byName.values()], count)
  const fills = [...byName].flatMap(([name, column]) => fillsOf(name, column, stored, decoded))
  const stride = fills.length
  const perStatement = Math.min(rowsPerStatement, Math.floor(mostParameters / stride))
  const names = fills.map(({ name }) => identifier(name)).join(', ')
  const one = `(${Array(stride).fill('?').join(', ')})`
  const insert = (rows: number) => db.prepare(`INSERT OR REPLACE INTO ${table} (${names}) VALUES ${Array(rows).fill(one).join(', ')}`)

  const full = insert(perStatement)
  let args: Value[] = Array(perStatement * stride).fill(null)
  for (let from = 0; from < count; from += perStatement) {
    const to = Math.min(count, from + perStatement)
    if (to - from < perStatement) args = Array((to - from) * stride).fill(null)
    for (let at = 0; at < stride; at++) fills[at]!.fill(args, at, stride, from, to)
    if (to - from === perStatement) full.run(...args)
    else insert(to - from).run(...args)
  }
}

type Filled = { readonly name: string; readonly fill: Fill }

/** What fills the columns of the table that hold this one. */
function fillsOf(
  name: string,
  column: Column,
  stored: readonly StoredColumn[],
  decoded: ReadonlyMap<Uint8Array, Decoded>,
): readonly Filled[] {
  switch (column.kind) {
    case 'number':
    case 'int':
      return [{ name, fill: fillNumbers(column.values) }]
    case 'long':
      return [{ name, fill: fillLongs(column.values) }]
    case 'integer':
      return [{ name, fill: fillWith(valuesOf(column)) }]
    case 'timestamp':
      return [{ name, fill: fillWith(wholeTexts(column, timestampText)) }]
    case 'decimal': {
      const nearest = { name, fill: fillWith(nearestDoubles(column)) }
      const exact = exactPrefix + name
      return stored.some((one) => one.name === exact) ? [nearest, { name: exact, fill: fillWith(longTexts(column)) }] : [nearest]
    }
    case 'flag':
      return [{ name, fill: fillWith((row) => (column.values[row] === noFlag ? null : column.values[row]!)) }]
    case 'date':
      return [{ name, fill: fillDates(column.days) }]
    case 'text':
      return [{ name, fill: fillTexts(column, decoded.get(column.bytes)!) }]
  }
}

const fillLongs =
  (values: BigInt64Array): Fill =>
  (args, at, stride, from, to) => {
    for (let row = from, i = at; row < to; row++, i += stride) args[i] = values[row]!
  }

const fillDates =
  (days: Int32Array): Fill =>
  (args, at, stride, from, to) => {
    for (let row = from, i = at; row < to; row++, i += stride) {
      const day = days[row]!
      args[i] = day === noDay ? null : dayText(day)
    }
  }

/** The next rows of the version with first <= _seq <= last, and the `_seq` to go on from; undefined when there are no more. */
export function readChunk(
  db: Sqlite,
  table: string,
  stored: readonly StoredColumn[],
  wanted: readonly StoredColumn[],
  version: number,
  first: number,
  last: number,
): { readonly rows: Columns; readonly next: number } | undefined {
  const columns = wanted.map(columnOfStored)
  const exact = wanted.map(({ name }) => exactPrefix + name).filter((name) => stored.some((one) => one.name === name))
  const selected = [...wanted.map(({ name }) => name), '_seq', ...exact]
  const statement = db.prepare(
    `SELECT ${selected.map(identifier).join(', ')} FROM ${table} WHERE "_version" = ? AND "_seq" BETWEEN ? AND ? ORDER BY "_seq" ` +
      `LIMIT ${rowsPerChunk}`,
  )
  statement.setReturnArrays(true)
  // Only where they are needed: they cost time.
  statement.setReadBigInts(columns.some(({ name, type }) => type === 'bigint' && name !== '_seq'))
  const cells = db.read(() => statement.all(version, first, last)) as unknown as readonly (readonly Value[])[]
  const final = cells.at(-1)
  if (!final) return undefined
  const read = (column: SqlColumn, at: number): Column => {
    const { name, type } = column
    return typeof type === 'object' && 'digits' in type
      ? decimalsFrom(type.scale, cells, at, selected.indexOf(exactPrefix + name))
      : columnFrom(column, cells, at)
  }
  const byName = new Map(columns.map((column, at) => [column.name, read(column, at)]))
  return { rows: { count: cells.length, byName }, next: Number(final[columns.length]) + 1 }
}
