/**
 * What is kept of the days: exact totals of each and of the window, as doubles or, from the first that does not fit on, as integers of any
 * size.
 */
import type { DayWindow } from './day-buckets.ts'

/** Totals are whole numbers of 1 / 10^scale, exact because none goes beyond 2^51. */
export type State = DayWindow & {
  readonly counts: number[]
  readonly sums: number[]
  /** Kept for stddev alone, else 0. */
  readonly squares: number[]
  scale: number
  count: number
  sum: number
  square: number
  /** In the place of the sums and squares above, from the first value or total on that does not fit them. */
  wide: Wide | null
}

export type Wide = {
  scale: number
  /** By day. */
  readonly sums: bigint[]
  readonly squares: bigint[]
  /** Of the window. */
  sum: bigint
  square: bigint
}
