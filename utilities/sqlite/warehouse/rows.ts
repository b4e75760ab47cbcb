/** Moves rows from columns into SQLite, written for speed: many rows a statement. */
import { wholeTexts } from '../../values/cell-text.ts'
import { noDay, noFlag, type Column, type Columns } from '../../values/columns.ts'
import { dayText } from '../../values/day.ts'
import { timestampText } from '../../values/timestamp.ts'
import type { Sqlite } from '../database.ts'
import { decodeTexts, fillNumbers, fillTexts, fillWith, valuesOf, type Decoded, type Fill, type Value } from '../fill.ts'
import { identifier } from '../../sql/names.ts'
import { exactPrefix, type StoredColumn } from '../../sql/declared.ts'
import { longTexts, nearestDoubles } from './decimals.ts'

/** Measured: more rows a statement gain nothing, fewer lose up to a quarter. */
const rowsPerStatement = 20
const mostParameters = 32_766

/** Inserts the rows, in place of those with the same key or as `otherwise` says, into the table of that name, which has these columns. */
export function insertRows(db: Sqlite, table: string, stored: readonly StoredColumn[], rows: Columns, otherwise?: string): void {
  insertFilled(db, table, filledBy(rows, stored), rows.count, otherwise)
}

/** What fills the columns of the table that hold those of the rows. */
export function filledBy({ count, byName }: Columns, stored: readonly StoredColumn[]): readonly Filled[] {
  const decoded = decodeTexts([...byName.values()], count)
  return [...byName].flatMap(([name, column]) => fillsOf(name, column, stored, decoded))
}

function insertFilled(db: Sqlite, table: string, fills: readonly Filled[], count: number, otherwise?: string): void {
  const stride = fills.length
  const perStatement = Math.min(rowsPerStatement, Math.floor(mostParameters / stride))
  const names = fills.map(({ name }) => identifier(name)).join(', ')
  const one = `(${Array(stride).fill('?').join(', ')})`
  const [verb, end] = otherwise === undefined ? ['INSERT OR REPLACE', ''] : ['INSERT', ` ${otherwise}`]
  const insert = (rows: number) => db.prepare(`${verb} INTO ${table} (${names}) VALUES ${Array(rows).fill(one).join(', ')}${end}`)

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

export type Filled = { readonly name: string; readonly fill: Fill }

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
