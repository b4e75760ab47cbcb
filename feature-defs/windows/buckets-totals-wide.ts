/**
 * Totals by place of any size and scale, for values and totals that doubles do not hold exactly: slower, and rare. A state that needs them
 * once keeps them.
 */
import type { State, Wide } from './buckets-totals-state.ts'
import { bigTen, decimalOf, digitsAt } from '../decimal.ts'
import { putCount, putText, takeCount, takeText, type Reader, type Writer } from '../state-bytes.ts'
import type { Whole } from '../values.ts'

export function widen(state: State, squaring: boolean): void {
  state.wide = {
    scale: state.scale,
    sums: state.sums.map(BigInt),
    squares: state.squares.map((square) => (squaring ? BigInt(square) : 0n)),
    sum: 0n,
    square: 0n,
  }
  state.sums.length = 0
  state.squares.length = 0
  // The window's own totals may not have fitted: they are added up anew by the next record.
  state.place = NaN
}

/** Adds the value to this bucket, and to the window where it is in it. */
export function addWide(state: State, wide: Wide, bucket: number, value: Whole, squaring: boolean): void {
  const decimal = decimalOf(value)
  if (decimal.scale > wide.scale) rescale(wide, decimal.scale)
  const digits = digitsAt(decimal, wide.scale)
  const square = squaring ? digits * digits : 0n
  state.counts[bucket]!++
  wide.sums[bucket]! += digits
  wide.squares[bucket]! += square
  if (!state.inside) return
  state.count++
  wide.sum += digits
  wide.square += square
}

export function addUpWindow(state: State, wide: Wide): void {
  state.count = 0
  wide.sum = 0n
  wide.square = 0n
  for (let bucket = state.from; bucket < state.to; bucket++) {
    state.count += state.counts[bucket]!
    wide.sum += wide.sums[bucket]!
    wide.square += wide.squares[bucket]!
  }
}

function rescale(wide: Wide, scale: number): void {
  const factor = bigTen(scale - wide.scale)
  for (const bucket of wide.sums.keys()) {
    wide.sums[bucket]! *= factor
    wide.squares[bucket]! *= factor * factor
  }
  wide.scale = scale
  wide.sum *= factor
  wide.square *= factor * factor
}

export function saveWide(to: Writer, wide: Wide): void {
  putCount(to, wide.scale)
  for (const sum of wide.sums) putText(to, String(sum))
  for (const square of wide.squares) putText(to, String(square))
}

export function takeWide(from: Reader, length: number): Wide {
  const scale = takeCount(from)
  const sums = Array.from({ length }, () => BigInt(takeText(from)))
  const squares = Array.from({ length }, () => BigInt(takeText(from)))
  return { scale, sums, squares, sum: 0n, square: 0n }
}
