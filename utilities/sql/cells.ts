/** Cells as SQL results have them, to columns. */
import { noDay, noFlag, putWhole, type Column, type TextColumn, type Wholes } from '../values/columns.ts'
import { wholeOf } from '../values/decimal-text.ts'
import { microsOf } from '../values/timestamp.ts'
import { ownColumns, type SqlColumn } from '../warehouse.ts'

/** A date is its text, and so is a timestamp, and a decimal of more digits than a double holds. */
export type Cell = string | number | bigint | boolean | null

const dayMs = 86_400_000

/** Cell `at` of every row, as the column that it is. Decimals come as texts. */
export function columnFrom({ name, type }: SqlColumn, cells: readonly (readonly Cell[])[], at: number): Column {
  const count = cells.length
  const take = (row: number) => cells[row]![at]!
  if (type === 'double') return { kind: 'number', values: numbersFrom(count, take) }
  if (type === 'integer' || name === '_seq') return { kind: 'int', values: numbersFrom(count, take) }
  if (type === 'bigint') {
    if (!(name in ownColumns)) return { kind: 'integer', ...wholesFrom(count, take, BigInt) }
    const values = new BigInt64Array(count)
    for (let row = 0; row < count; row++) values[row] = BigInt(take(row))
    return { kind: 'long', values }
  }
  if (type === 'timestamp') return { kind: 'timestamp', ...wholesFrom(count, take, (cell) => microsOf(String(cell))) }
  if (type === 'boolean') {
    const values = new Uint8Array(count)
    for (let row = 0; row < count; row++) values[row] = take(row) === null ? noFlag : isTrue(take(row)) ? 1 : 0
    return { kind: 'flag', values }
  }
  if (type === 'date') {
    const days = new Int32Array(count)
    // Rows that follow one another are mostly of one day.
    let [text, day]: [Cell, number] = [null, noDay]
    for (let row = 0; row < count; row++) {
      const cell = take(row)
      if (cell !== text) [text, day] = [cell, cell === null ? noDay : Math.round(Date.parse(cell as string) / dayMs)]
      days[row] = day
    }
    return { kind: 'date', days }
  }
  if ('varchar' in type) return textsFrom(cells.map((row) => row[at] as string | null))
  const { scale } = type
  return { kind: 'decimal', scale, ...wholesFrom(count, take, (cell) => wholeOf(String(cell), scale)) }
}

const isTrue = (cell: Cell): boolean => cell === true || cell === 1 || cell === 1n

function numbersFrom(count: number, take: (row: number) => Cell): Float64Array {
  const values = new Float64Array(count)
  for (let row = 0; row < count; row++) values[row] = take(row) === null ? NaN : Number(take(row))
  return values
}

function wholesFrom(count: number, take: (row: number) => Cell, read: (cell: NonNullable<Cell>) => number | bigint): Wholes {
  const values = new Float64Array(count)
  const wide = new Map<number, bigint>()
  for (let row = 0; row < count; row++) {
    const cell = take(row)
    const value = cell === null ? NaN : read(cell)
    if (typeof value === 'number') values[row] = value
    else putWhole(values, wide, row, value)
  }
  return { values, wide }
}

export function textsFrom(texts: readonly (string | null)[]): TextColumn {
  const joined = texts.map((text) => text ?? '').join('')
  const bytes = Buffer.from(joined)
  const lengthOf = bytes.length === joined.length ? (text: string) => text.length : (text: string) => Buffer.byteLength(text)
  const starts = new Int32Array(texts.length)
  const ends = new Int32Array(texts.length)
  let end = 0
  texts.forEach((text, row) => {
    starts[row] = text === null ? -1 : end
    end += text === null ? 0 : lengthOf(text)
    ends[row] = end
  })
  return { kind: 'text', bytes, starts, ends }
}
