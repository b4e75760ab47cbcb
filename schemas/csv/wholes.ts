/** Whole numbers and decimals as files write them, exact to the last digit: a sign, digits and a fraction, no exponent. */
import { putWhole } from '../../utilities/values/columns.ts'
import { amiss } from './amiss.ts'
import { minus, plus, point, zero } from './bytes.ts'

const firstInteger = -(2n ** 63n)
const lastInteger = 2n ** 63n - 1n

const powersOfTen = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/** Where it ends, or what is amiss; the place where it begins where none is there. */
export function integerAt(bytes: Uint8Array, from: number, values: Float64Array, wide: Map<number, bigint>, row: number): number {
  let at = from
  const negative = bytes[at] === minus
  if (negative || bytes[at] === plus) at++
  const start = at
  let value = 0
  while ((bytes[at]! - zero) >>> 0 <= 9) value = value * 10 + bytes[at++]! - zero
  if (at === start) return from
  if (at - start <= 15) {
    values[row] = (negative ? -value : value) + 0
    if (wide.size > 0) wide.delete(row)
    return at
  }
  const digits = BigInt(latin1(bytes, start, at))
  const exact = negative ? -digits : digits
  if (exact < firstInteger || exact > lastInteger) return amiss.bits
  wide.delete(row)
  putWhole(values, wide, row, exact)
  return at
}

/** The same of a number of at most so many digits, of which `scale` lie behind the point; zeros that change nothing may be more. */
export function decimalAt(
  bytes: Uint8Array,
  from: number,
  digits: number,
  scale: number,
  values: Float64Array,
  wide: Map<number, bigint>,
  row: number,
): number {
  let at = from
  const negative = bytes[at] === minus
  if (negative || bytes[at] === plus) at++
  const start = at
  while (bytes[at] === zero) at++
  const first = at
  let value = 0
  while ((bytes[at]! - zero) >>> 0 <= 9) value = value * 10 + bytes[at++]! - zero
  if (at === start) return from
  const end = at
  let behind = 0
  if (bytes[at] === point) {
    const fraction = ++at
    for (; (bytes[at]! - zero) >>> 0 <= 9; at++) {
      if (behind < scale) {
        value = value * 10 + bytes[at]! - zero
        behind++
      } else if (bytes[at] !== zero) return amiss.scale
    }
    if (at === fraction) return from
  }
  if (end - first > digits - scale) return amiss.whole
  if (end - first + scale <= 15) {
    value *= powersOfTen[scale - behind]!
    values[row] = (negative ? -value : value) + 0
    if (wide.size > 0) wide.delete(row)
    return at
  }
  const text = latin1(bytes, first, end) + latin1(bytes, end + 1, end + 1 + behind) + '0'.repeat(scale - behind)
  wide.delete(row)
  putWhole(values, wide, row, negative ? -BigInt(text) : BigInt(text))
  return at
}

const latin1 = (bytes: Uint8Array, from: number, to: number) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice(from, to)
