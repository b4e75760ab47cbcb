/** The part of the decoder that reads integers, timestamps, decimals and flags. Values go to the column from `offset` on. */
import { noFlag, type DecimalColumn, type FlagColumn, type IntegerColumn, type TimestampColumn } from '../../utilities/values/columns.ts'
import { firstMicros, lastMicros } from '../../utilities/values/timestamp.ts'
import { long, readZigzag } from '../wire.ts'
import { cutWithin, fail, fault, type Block } from './decode-block.ts'
import type { FieldPlace } from './field-places.ts'

/** While a column is read its map is its own. */
const wideOf = ({ wide }: { readonly wide?: ReadonlyMap<number, bigint> }) => wide as Map<number, bigint>

export function readWholes(block: Block, { name }: FieldPlace, column: IntegerColumn | TimestampColumn, offset: number) {
  const { bytes, at, stop, present, rows } = block
  const { values, kind } = column
  for (let row = 0; row < rows; row++) {
    values[offset + row] = NaN
    if (present[row] === 0) continue
    const next = readZigzag(bytes, at[row]!, stop[row]!)
    const value = long[1]! * 0x100000000 + (long[0]! >>> 0)
    if (next < 0) fail(block, row, fault(name, next)!)
    else if (kind === 'timestamp' && isOutside(value)) fail(block, row, `field ${name} is a moment outside the years 1 to 9999`)
    else {
      values[offset + row] = value
      at[row] = next
      if (!Number.isSafeInteger(value)) wideOf(column).set(offset + row, exactLong())
    }
  }
}

const exactLong = () => (BigInt(long[1]!) << 32n) | BigInt(long[0]! >>> 0)
const [firstNear, lastNear] = [Number(firstMicros), Number(lastMicros)]

/** The limits are far beyond 2^53, where doubles lie up to 32 apart. */
const isOutside = (near: number) => (near <= firstNear && exactLong() < firstMicros) || (near >= lastNear && exactLong() > lastMicros)

/** Up to so many bytes a double holds all. */
const fewBytes = 6
/** Of 38 digits; more are taken where they only repeat the sign. */
const mostBytes = 16

export function readDecimals(block: Block, { name, digits, scale }: FieldPlace, column: DecimalColumn, offset: number) {
  const { bytes, at, stop, present, rows } = block
  const { values } = column
  const limit = 10n ** BigInt(digits)
  const most = Number(limit)
  const tooMany = `field ${name} is a decimal of more than ${digits} digits (${scale} behind the point)`
  for (let row = 0; row < rows; row++) {
    values[offset + row] = NaN
    if (present[row] === 0) continue
    const start = readZigzag(bytes, at[row]!, stop[row]!)
    const length = long[1] === 0 ? long[0]! : -1
    const end = start + length
    if (start < 0 || length < 0 || end > stop[row]!) {
      fail(block, row, fault(name, start) ?? `field ${name} has a length that does not fit the message`)
      continue
    }
    if (length === 0) {
      fail(block, row, `field ${name} is a decimal of no bytes`)
      continue
    }
    if (length <= fewBytes) {
      let value = (bytes[start]! << 24) >> 24
      for (let i = start + 1; i < end; i++) value = value * 256 + bytes[i]!
      if (value >= most || value <= -most) {
        fail(block, row, tooMany)
        continue
      }
      values[offset + row] = value
    } else {
      const value = length <= mostBytes ? wideAt(bytes, start, end) : limit
      if (value >= limit || value <= -limit) {
        fail(block, row, tooMany)
        continue
      }
      values[offset + row] = Number(value)
      if (!Number.isSafeInteger(values[offset + row])) wideOf(column).set(offset + row, value)
    }
    at[row] = end
  }
}

function wideAt(bytes: Uint8Array, start: number, end: number): bigint {
  let value = BigInt((bytes[start]! << 24) >> 24)
  for (let i = start + 1; i < end; i++) value = (value << 8n) | BigInt(bytes[i]!)
  return value
}

export function readFlags(block: Block, { name }: FieldPlace, { values }: FlagColumn, offset: number) {
  const { bytes, at, stop, present, rows } = block
  for (let row = 0; row < rows; row++) {
    values[offset + row] = noFlag
    if (present[row] === 0) continue
    const p = at[row]!
    if (p >= stop[row]!) fail(block, row, cutWithin(name))
    else if (bytes[p]! > 1) fail(block, row, `field ${name} is a flag that is neither true nor false`)
    else {
      values[offset + row] = bytes[p]!
      at[row] = p + 1
    }
  }
}
