/**
 * Exact totals of facts that stand: what comes adds to them and what is taken subtracts, as whole numbers of 1 / 10^scale. In doubles while
 * they fit, else as integers of any size; the result is the same.
 */
import { bigTen, decimalOf, digitsAt, fifteenDigits, fits, mostScale, scaledBy, tens } from '../decimal.ts'
import { putCount, putSigned, putWhole, takeCount, takeSigned, takeWhole } from '../state-bytes.ts'
import type { Value, Whole } from '../values.ts'
import { plansFor, readTotals, readWide, type Totals } from '../windows/totals.ts'
import type { Gathering } from './standing.ts'

type Total = {
  count: number
  scale: number
  sum: number
  /** Kept for stddev alone, else 0. */
  squares: number
  /** In the place of the sum and squares above, from the first value or total on that does not fit them. */
  wide: { sum: bigint; squares: bigint } | null
}

/** Two of these still add up exactly. */
const safe = 2 ** 51

/** What the digits of 2^53 doubles' sum, and of their squares', take, seven bits a byte. */
const mostDigitsBytes = 310 + 620

const none = (): Total => ({ count: 0, scale: 0, sum: 0, squares: 0, wide: null })

export function gatheredTotals(totals: Totals): Gathering<Total, Total> {
  const plans = plansFor(totals)
  const [counting, squaring] = [totals.op === 'count', totals.op === 'stddev']

  const add = (total: Total, value: Whole, sign: 1 | -1): void => {
    if (value !== value) return
    if (counting) {
      total.count += sign
      return
    }
    if (total.wide || !addNarrow(total, value, sign, squaring)) addWide(total, value, sign, squaring)
    forget(total)
  }

  const addAll = (total: Total, other: Total, sign: 1 | -1): void => {
    if (counting) total.count += sign * other.count
    else if (!addTotal(total, other, sign)) addWideTotal(total, other, sign)
    forget(total)
  }

  return {
    all: none,
    part: none,
    partOf: (all) => all,
    add: (all, value) => add(all, value as Whole, 1),
    take: (all, value) => add(all, value as Whole, -1),
    addTo: (part, value) => add(part, value as Whole, 1),
    takeFrom: (part, value) => add(part, value as Whole, -1),
    isEmpty: ({ count }) => count === 0,
    join: (part, other) => addAll(part, other, 1),
    enter: (all, part) => addAll(all, part, 1),
    leave: (all, part) => addAll(all, part, -1),
    read({ count, scale, sum, squares, wide }): Value {
      // Below 0 when a fact was taken that never came.
      const many = counting ? count : Math.max(0, count)
      return wide ? readWide(plans[0]!, many, wide.sum, wide.squares, scale) : readTotals(plans[scale]!, many, sum, squares)
    },
    putPart(to, { count, scale, sum, squares, wide }) {
      putSigned(to, count)
      if (counting) return
      putCount(to, wide ? wideScale + scale : scale)
      putWhole(to, wide ? wide.sum : sum)
      if (squaring) putWhole(to, wide ? wide.squares : squares)
    },
    takePart(from) {
      const total = none()
      total.count = takeSigned(from)
      if (counting) return total
      const scale = takeCount(from)
      const [sum, squares] = [takeWhole(from), squaring ? takeWhole(from) : 0]
      if (scale < wideScale) return { ...total, scale, sum: sum as number, squares: squares as number }
      return { ...total, scale: scale - wideScale, wide: { sum: BigInt(sum), squares: BigInt(squares) } }
    },
    mostPartBytes: counting ? 8 : 16 + mostDigitsBytes,
    mostValueBytes: () => 0,
  }
}

/** Scales from here on are of totals of any size. */
const wideScale = mostScale + 1

/** One of nothing starts anew, small as it was. */
function forget(total: Total): void {
  if (total.count !== 0) return
  if (total.wide ? total.wide.sum !== 0n || total.wide.squares !== 0n : total.sum !== 0 || total.squares !== 0) return
  total.scale = 0
  total.sum = 0
  total.squares = 0
  total.wide = null
}

function addNarrow(total: Total, value: Whole, sign: 1 | -1, squaring: boolean): boolean {
  if (typeof value === 'bigint') return false
  let scaled = scaledBy(value, tens[total.scale]!)
  if (scaled / tens[total.scale]! !== value || Math.abs(scaled) > fifteenDigits) {
    let scale = total.scale
    while (scale <= mostScale && !fits(value, scale, fifteenDigits)) scale++
    if (scale > mostScale || !raise(total, scale)) return false
    scaled = scaledBy(value, tens[scale]!)
  }
  return addScaled(total, sign * scaled, squaring ? sign * scaled * scaled : 0, sign)
}

function addScaled(total: Total, scaled: number, square: number, count: number): boolean {
  const [sum, squares] = [total.sum + scaled, total.squares + square]
  if (Math.abs(square) > safe || Math.abs(sum) > safe || Math.abs(squares) > safe) return false
  total.count += count
  total.sum = sum
  total.squares = squares
  return true
}

/** Goes to a larger scale, where the totals fit it. */
function raise(total: Total, scale: number): boolean {
  const factor = tens[scale - total.scale]!
  const [sum, squares] = [total.sum * factor, total.squares * factor * factor]
  if (Math.abs(sum) > safe || Math.abs(squares) > safe) return false
  total.scale = scale
  total.sum = sum
  total.squares = squares
  return true
}

function addTotal(total: Total, other: Total, sign: 1 | -1): boolean {
  if (total.wide || other.wide) return false
  if (other.scale > total.scale && !raise(total, other.scale)) return false
  const factor = tens[total.scale - other.scale]!
  const [sum, squares] = [other.sum * factor, other.squares * factor * factor]
  return Math.abs(sum) <= safe && addScaled(total, sign * sum, sign * squares, sign * other.count)
}

function addWide(total: Total, value: Whole, sign: 1 | -1, squaring: boolean): void {
  const decimal = decimalOf(value)
  const wide = widened(total, decimal.scale)
  const digits = digitsAt(decimal, total.scale)
  total.count += sign
  wide.sum += BigInt(sign) * digits
  if (squaring) wide.squares += BigInt(sign) * digits * digits
}

function addWideTotal(total: Total, other: Total, sign: 1 | -1): void {
  const wide = widened(total, other.scale)
  const factor = BigInt(sign) * bigTen(total.scale - other.scale)
  const { sum, squares } = other.wide ?? { sum: BigInt(other.sum), squares: BigInt(other.squares) }
  total.count += sign * other.count
  wide.sum += factor * sum
  wide.squares += factor * bigTen(total.scale - other.scale) * squares
}

/** As integers of any size, at this scale at least. */
function widened(total: Total, scale: number): { sum: bigint; squares: bigint } {
  const wide = (total.wide ??= { sum: BigInt(total.sum), squares: BigInt(total.squares) })
  total.sum = 0
  total.squares = 0
  if (scale <= total.scale) return wide
  const factor = bigTen(scale - total.scale)
  wide.sum *= factor
  wide.squares *= factor * factor
  total.scale = scale
  return wide
}
