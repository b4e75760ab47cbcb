/**
 * The part of the encoder that writes integers, timestamps, decimals, flags and whether a nested record is there: each is measured first,
 * then written, over all rows.
 */
import { noFlag, type DecimalColumn, type FlagColumn, type IntegerColumn, type TimestampColumn } from '../../utilities/values/columns.ts'
import { firstMicros, lastMicros } from '../../utilities/values/timestamp.ts'
import { putZigzag, zigzagLength } from '../wire.ts'
import { refuse } from './encode-places.ts'
import type { FieldPlace } from './field-places.ts'

type WholeColumn = IntegerColumn | TimestampColumn

const lowOf = (value: bigint) => Number(BigInt.asIntN(32, value))
const highOf = (value: bigint) => Number(BigInt.asIntN(32, value >> 32n))

export function measureWholes({ kind, values, wide }: WholeColumn, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  const [least, most] = kind === 'timestamp' ? [firstMicros, lastMicros] : [-(2n ** 63n), 2n ** 63n - 1n]
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k]!
    const value = values[row]!
    if (Number.isSafeInteger(value)) lengths[k]! += zigzagLength(value | 0, Math.floor(value / 0x100000000)) + (cell.nullable ? 1 : 0)
    else if (value !== value && cell.nullable) lengths[k]! += 1
    else {
      const exact = wide?.get(row)
      if (exact === undefined || exact < least || exact > most) refuse(cell, row, exact ?? value)
      else lengths[k]! += zigzagLength(lowOf(exact), highOf(exact)) + (cell.nullable ? 1 : 0)
    }
  }
}

export function writeWholes({ values, wide }: WholeColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    let p = at[k]!
    if (nullable) out[p++] = value === value ? 2 : 0
    if (Number.isSafeInteger(value)) p = putZigzag(out, p, value | 0, Math.floor(value / 0x100000000))
    else if (value === value) {
      const exact = wide!.get(rows[k]!)!
      p = putZigzag(out, p, lowOf(exact), highOf(exact))
    }
    at[k] = p
  }
}

/** What so many bytes hold of numbers that are not negative, the sign left out. */
const limits = [0, 2 ** 7, 2 ** 15, 2 ** 23, 2 ** 31, 2 ** 39, 2 ** 47, 2 ** 55]
const powers = [1, 2 ** 8, 2 ** 16, 2 ** 24, 2 ** 32, 2 ** 40, 2 ** 48]

/** The fewest bytes that hold it, as Java writes it. */
function bytesOf(value: number): number {
  const size = value < 0 ? -value - 1 : value
  let bytes = 1
  while (size >= limits[bytes]!) bytes++
  return bytes
}

function bytesOfWide(value: bigint): number {
  let bytes = 7
  while (BigInt.asIntN(8 * bytes, value) !== value) bytes++
  return bytes
}

export function measureDecimals({ values, wide }: DecimalColumn, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  const limit = 10n ** BigInt(cell.digits)
  const most = Number(limit)
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k]!
    const value = values[row]!
    if (Number.isSafeInteger(value) && value < most && value > -most) lengths[k]! += 1 + bytesOf(value) + (cell.nullable ? 1 : 0)
    else if (value !== value && cell.nullable) lengths[k]! += 1
    else {
      const exact = wide?.get(row)
      if (exact === undefined || exact >= limit || exact <= -limit) refuse(cell, row, exact ?? value)
      else lengths[k]! += 1 + bytesOfWide(exact) + (cell.nullable ? 1 : 0)
    }
  }
}

export function writeDecimals({ values, wide }: DecimalColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    let p = at[k]!
    if (nullable) out[p++] = value === value ? 2 : 0
    if (Number.isSafeInteger(value)) {
      const bytes = bytesOf(value)
      out[p++] = bytes << 1
      for (let i = bytes - 1; i >= 0; i--) out[p++] = Math.floor(value / powers[i]!)
    } else if (value === value) {
      const exact = wide!.get(rows[k]!)!
      const bytes = bytesOfWide(exact)
      out[p++] = bytes << 1
      for (let i = bytes - 1; i >= 0; i--) out[p++] = Number((exact >> BigInt(8 * i)) & 0xffn)
    }
    at[k] = p
  }
}

export function measureFlags({ values }: FlagColumn, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    if (value === noFlag && !cell.nullable) refuse(cell, rows[k]!, null)
    lengths[k]! += value === noFlag || !cell.nullable ? 1 : 2
  }
}

export function writeFlags({ values }: FlagColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    let p = at[k]!
    if (nullable) out[p++] = value === noFlag ? 0 : 2
    if (value !== noFlag) out[p++] = value
    at[k] = p
  }
}

export function measureThere({ values }: FlagColumn, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  for (let k = 0; k < rows.length; k++) {
    if (values[rows[k]!]! > 1) refuse(cell, rows[k]!, null)
    lengths[k]! += 1
  }
}

export function writeThere({ values }: FlagColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array) {
  for (let k = 0; k < rows.length; k++) out[at[k]!++] = values[rows[k]!]! << 1
}
