/** Moves rows from columns into SQLite, written for speed: many rows a statement. */
import { wholeTexts } from '../../values/cell-text.ts'
import { noDay, noFlag, type Column, type Columns, type TextColumn, type Wholes } from '../../values/columns.ts'
import { dayText } from '../../values/day.ts'
import { timestampText } from '../../values/timestamp.ts'
import type { Sqlite } from '../database.ts'
import { identifier } from '../../sql/names.ts'
import { exactPrefix, type StoredColumn } from '../../sql/declared.ts'
import { longTexts, nearestDoubles } from './decimals.ts'

export type Value = string | number | bigint | null
/** Puts a column's rows from..to into every `stride`-th argument from `at` on. */
type Fill = (args: Value[], at: number, stride: number, from: number, to: number) => void

/** Measured: more rows a statement gain nothing, fewer lose up to a quarter. */
const rowsPerStatement = 20
const mostParameters = 32_766
const mostDecodedAtOnce = 1 << 24

/** Inserts the rows, in place of those with the same key or as `otherwise` says, into the table of that name, which has these columns. */
export function insertRows(db: Sqlite, table: string, stored: readonly StoredColumn[], rows: Columns, otherwise?: string): void {
  insertFilled(db, table, filledBy(rows, stored), rows.count, otherwise)
}

/** What fills the columns of the table that hold those of the rows. */
export function filledBy({ count, byName }: Columns, stored: readonly StoredColumn[]): readonly Filled[] {
  const decoded = decodeTexts([...byName.values()], count)
  return [...byName].flatMap(([name, column]) => fillsOf(name, column, stored, decoded))
}

export function insertFilled(db: Sqlite, table: string, fills: readonly Filled[], count: number, otherwise?: string): void {
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

export const fillWith =
  (valueAt: (row: number) => Value): Fill =>
  (args, at, stride, from, to) => {
    for (let row = from, i = at; row < to; row++, i += stride) args[i] = valueAt(row)
  }

const valuesOf =
  ({ values, wide }: Wholes) =>
  (row: number): Value => {
    const value = values[row]!
    return value === value ? (wide?.get(row) ?? value) : null
  }

const fillNumbers =
  (values: Float64Array): Fill =>
  (args, at, stride, from, to) => {
    for (let row = from, i = at; row < to; row++, i += stride) {
      const value = values[row]!
      args[i] = value === value ? value : null
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

/** Bytes low.. as one string of as many characters: a part of it is had much faster than by decoding each text. */
type Decoded = { readonly buffer: Buffer; readonly low: number; readonly latin1: string | undefined }

const fillTexts =
  ({ bytes, starts, ends }: TextColumn, { buffer, low, latin1 }: Decoded): Fill =>
  (args, at, stride, from, to) => {
    for (let row = from, i = at; row < to; row++, i += stride) {
      const start = starts[row]!
      const end = ends[row]!
      if (start < 0) args[i] = null
      else if (latin1 !== undefined && isAscii(bytes, start, end)) args[i] = latin1.substring(start - low, end - low)
      else args[i] = buffer.toString('utf8', start, end)
    }
  }

/** Columns decoded from messages share their bytes, so each stretch of bytes is decoded once for all of them. */
function decodeTexts(columns: readonly Column[], count: number): ReadonlyMap<Uint8Array, Decoded> {
  const ranges = new Map<Uint8Array, { low: number; high: number }>()
  for (const column of columns) {
    if (column.kind !== 'text') continue
    const { bytes, starts, ends } = column
    let { low, high } = ranges.get(bytes) ?? { low: bytes.length, high: 0 }
    for (let row = 0; row < count; row++) {
      if (starts[row]! < 0) continue
      low = Math.min(low, starts[row]!)
      high = Math.max(high, ends[row]!)
    }
    ranges.set(bytes, { low, high })
  }
  return new Map(
    [...ranges].map(([bytes, { low, high }]) => {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return [
        bytes,
        { buffer, low, latin1: high - low <= mostDecodedAtOnce ? buffer.toString('latin1', low, Math.max(low, high)) : undefined },
      ]
    }),
  )
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return false
  return true
}
