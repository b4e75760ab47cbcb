/** Whole numbers and numbers, whatever way they are written. */
import { putWhole } from '../../utilities/values/columns.ts'
import { minus, point, zero } from '../csv/bytes.ts'
import { integerAt } from '../csv/wholes.ts'
import { nine } from './bytes.ts'
import { scaledSent } from './decimals.ts'
import type { DraftColumn } from './draft.ts'
import { exactWhole, mostText, rescaled } from './exact.ts'
import { misfits } from './misfit.ts'
import { sentAs, type Found } from './scan.ts'
import type { SentType } from './sent.ts'

const firstInteger = -(2n ** 63n)
const lastInteger = 2n ** 63n - 1n

export function putInteger(column: DraftColumn, row: number, found: Found, slot: number, type: SentType | undefined): string | undefined {
  const { bytes, kinds, starts, ends } = found
  const { numbers, wide } = column
  const scaled = scaledSent(column.of, found, slot, type)
  let value: ReturnType<typeof exactWhole>
  if (scaled) value = rescaled(BigInt(scaled.value), scaled.scale, 0)
  else if (scaled === undefined && (kinds[slot] === sentAs.number || kinds[slot] === sentAs.text)) {
    const [from, to] = [starts[slot]!, ends[slot]!]
    if (from < to && to - from <= mostText && integerAt(bytes, from, numbers, wide, row) === to) return undefined
    value = exactWhole(bytes.latin1Slice(from, to), 0)
  }
  if (value === undefined || value === 'fine') return misfits.wholeNumber
  if (value === 'large' || value < firstInteger || value > lastInteger) return misfits.bits
  wide.delete(row)
  putWhole(numbers, wide, row, value)
  return undefined
}

/** As text, more than JSON allows: a sign, and zeros before the digits. */
const numberForm = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/

export function putNumber(column: DraftColumn, row: number, found: Found, slot: number, type: SentType | undefined): string | undefined {
  const { bytes, kinds, starts, ends } = found
  const [from, to] = [starts[slot]!, ends[slot]!]
  let value: number
  if (kinds[slot] === sentAs.number) value = numberOf(bytes, from, to)
  else {
    const scaled = scaledSent(column.of, found, slot, type)
    if (scaled) value = Number(`${scaled.value}e${-scaled.scale}`)
    else {
      const text = scaled === undefined && kinds[slot] === sentAs.text ? bytes.latin1Slice(from, to) : ''
      if (!numberForm.test(text)) return misfits.number
      value = Number(text)
    }
  }
  if (!Number.isFinite(value)) return misfits.largeNumber
  // -0 is 0.
  column.numbers[row] = value + 0
  return undefined
}

const powersOfTen = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/** Of a number that JSON has: what Number makes of its text. */
function numberOf(bytes: Buffer, from: number, to: number): number {
  let at = from
  const negative = bytes[at] === minus
  if (negative) at++
  let value = 0
  let behind = 0
  let c = bytes[at]!
  if (to - at <= 16) {
    for (; at < to && c >= zero && c <= nine; c = bytes[++at]!) value = value * 10 + c - zero
    if (at < to && c === point) {
      const fraction = ++at
      for (c = bytes[at]!; at < to && c >= zero && c <= nine; c = bytes[++at]!) value = value * 10 + c - zero
      behind = at - fraction
    }
    // Both are whole numbers below 2^53, so the one division rounds as it should.
    if (at === to && to - from <= 16) return (negative ? -value : value) / powersOfTen[behind]!
  }
  return Number(bytes.latin1Slice(from, to))
}
