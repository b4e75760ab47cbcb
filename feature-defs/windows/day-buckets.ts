/**
 * Which buckets a window of days covers. There is one bucket for every distinct day on which a value was seen, in order of days, because a
 * late record may ask for any of them again: that is the bound of such a state. Days are whole numbers, so a moved window finds its ends by
 * bisection.
 *
 * A record without a date (noDay) is in the window of such records alone.
 */

export type DayWindow = {
  readonly days: number[]
  /** The day whose window from..to (to excluded) covers; NaN when that is not known. */
  day: number
  from: number
  to: number
}

export const noWindow = (): DayWindow => ({ days: [], day: NaN, from: 0, to: 0 })

/** Covers (day − length, day]. */
export function moveTo(window: DayWindow, day: number, length: number): void {
  window.day = day
  window.to = firstAfter(window.days, day)
  window.from = firstAfter(window.days, day - length)
}

/** The bucket of the window's own day, or -1 while it has none. */
export const ownBucket = ({ days, day, to }: DayWindow): number => (to > 0 && days[to - 1] === day ? to - 1 : -1)

/** Makes room for the window's own day and says where. */
export function insertOwn(window: DayWindow): number {
  window.days.splice(window.to, 0, window.day)
  return window.to++
}

function firstAfter(days: readonly number[], day: number): number {
  // Mostly records come in order of days.
  if (days.length === 0 || days[days.length - 1]! <= day) return days.length
  let low = 0
  let high = days.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (days[middle]! <= day) low = middle + 1
    else high = middle
  }
  return low
}
