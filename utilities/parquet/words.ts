/**
 * Numbers and days as pairs of 32-bit words, the low one first, written for speed: what can be compared and hashed without a look at its
 * type.
 */
import { noDay, type Column, type Wholes } from '../values/columns.ts'
import type { SqlType } from '../warehouse.ts'
import type { Presence } from './gathering.ts'

type Range = { readonly from: number; readonly end: number }

/** Puts the values that are not null into `words`, notes which rows those are, and returns how many. */
export function takeWords(words: Int32Array, column: Column, type: SqlType, range: Range, presence: Presence): number {
  switch (column.kind) {
    case 'date':
      if (type === 'date') return takeDays(words, column.days, range, presence)
      break
    case 'long':
      if (type === 'bigint' || type === 'integer') return takeLongs(words, column.values, range, type)
      break
    case 'number':
    case 'int':
      if (type === 'double') return takeDoubles(words, column.values, range, presence)
      if (type === 'bigint' || type === 'integer') return takeWholes(words, column, range, type, presence)
      break
    case 'integer':
      if (type === 'bigint') return takeWholes(words, column, range, type, presence)
      break
    case 'timestamp':
      if (type === 'timestamp') return takeWholes(words, column, range, 'bigint', presence)
      break
    case 'decimal':
      if (typeof type === 'object' && 'digits' in type && type.scale === column.scale)
        return takeWholes(words, column, range, 'bigint', presence)
      break
  }
  throw new TypeError(`a column of ${column.kind}s cannot be written as ${JSON.stringify(type)}`)
}

function takeDoubles(words: Int32Array, values: Float64Array, { from, end }: Range, { flags, rows }: Presence): number {
  const bits = new Int32Array(values.buffer, values.byteOffset + 8 * from, 2 * (end - from))
  let row = rows
  let at = 0
  for (let i = 0; i < bits.length; i += 2) {
    const low = bits[i]!
    const high = bits[i + 1]!
    // Whether it is NaN, without a branch: nulls often come where no processor foresees them.
    const present = (((high & 0x7fffffff) | ((low | -low) >>> 31)) - 0x7ff00001) >>> 31
    flags[row++] = present
    words[at] = low
    words[at + 1] = high
    at += 2 * present
  }
  return at / 2
}

function takeWholes(
  words: Int32Array,
  { values, wide }: Wholes,
  { from, end }: Range,
  type: 'bigint' | 'integer',
  { flags, rows }: Presence,
): number {
  const shift = rows - from
  let at = 0
  for (let i = from; i < end; i++) {
    const value = values[i]!
    const whole = value | 0
    if (whole === value) {
      words[at] = whole
      words[at + 1] = whole >> 31
      at += 2
    } else if (value === value) {
      const exact = wide?.get(i)
      if (exact !== undefined) putExact(words, at, exact)
      else {
        if (type === 'integer' || !Number.isInteger(value) || value < -(2 ** 63) || value >= 2 ** 63)
          throw new RangeError(`${value} is no ${type}`)
        const high = Math.floor(value / 2 ** 32)
        words[at] = value - high * 2 ** 32
        words[at + 1] = high
      }
      at += 2
    } else flags[shift + i] = 0
  }
  return at / 2
}

function putExact(words: Int32Array, at: number, value: bigint): void {
  if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} is no bigint`)
  words[at] = Number(BigInt.asIntN(32, value))
  words[at + 1] = Number(value >> 32n)
}

function takeLongs(words: Int32Array, values: BigInt64Array, { from, end }: Range, type: 'bigint' | 'integer'): number {
  const bits = new Int32Array(values.buffer, values.byteOffset + 8 * from, 2 * (end - from))
  words.set(bits)
  if (type === 'bigint') return end - from
  for (let i = 0; i < bits.length; i += 2) {
    if (bits[i]! >> 31 !== bits[i + 1]) throw new RangeError(`${values[from + i / 2]} is no integer`)
  }
  return end - from
}

function takeDays(words: Int32Array, days: Int32Array, { from, end }: Range, { flags, rows }: Presence): number {
  const shift = rows - from
  let at = 0
  for (let i = from; i < end; i++) {
    const day = days[i]!
    if (day !== noDay) {
      words[at] = day
      words[at + 1] = day >> 31
      at += 2
    } else flags[shift + i] = 0
  }
  return at / 2
}
