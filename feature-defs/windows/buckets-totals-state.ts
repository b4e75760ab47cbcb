/**
 * What is kept of each place in time: its exact totals, and those of the window, as doubles or, from the first that does not fit on, as
 * integers of any size.
 */
import type { TimeWindow } from './buckets.ts'

/** Totals are whole numbers of 1 / 10^scale, exact because none goes beyond 2^51. */
export type State = TimeWindow & {
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
  /** By place. */
  readonly sums: bigint[]
  readonly squares: bigint[]
  /** Of the window. */
  sum: bigint
  square: bigint
}
