/** What is amiss with a cell, as a place that no cell has. */

export const amiss = {
  /** A date, or the date of a timestamp. */
  day: -1,
  time: -2,
  fraction: -3,
  years: -4,
  /** Of an integer. */
  bits: -5,
  /** Of a decimal, before the point and behind it. */
  whole: -6,
  scale: -7,
} as const
