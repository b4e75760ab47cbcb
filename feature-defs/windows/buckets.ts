/**
 * Which buckets a window of time covers. There is one bucket for every distinct place in time (day, month, microsecond) at which a value
 * was seen, in order, because a late record may ask for any of them again: that is the bound of such a state. A moved window finds its ends
 * by bisection.
 *
 * A record without a date (noDay) is in the window of such records alone.
 */
import { putWhole, takeWhole, type Reader, type Writer } from '../state-bytes.ts'
import { less, type Whole } from '../values.ts'
import type { Reach } from './reach.ts'

export type TimeWindow = {
  readonly places: Whole[]
  /** The place whose window from..to (to excluded) covers; NaN when that is not known. */
  place: Whole
  from: number
  to: number
  /** Behind the bucket of the place itself, or where that would stand; and whether it is in its own window. */
  end: number
  inside: boolean
}

export const noWindow = (): TimeWindow => ({ places: [], place: NaN, from: 0, to: 0, end: 0, inside: false })

export function moveTo(window: TimeWindow, place: Whole, reach: Reach): void {
  const until = reach.until(place)
  window.place = place
  window.to = firstAfter(window.places, until)
  window.from = firstAfter(window.places, reach.after(place))
  window.inside = until === place
  window.end = window.inside ? window.to : firstAfter(window.places, place)
}

/** The bucket of the window's own place, or -1 while it has none. */
export const ownBucket = ({ places, place, end }: TimeWindow): number => (end > 0 && places[end - 1] === place ? end - 1 : -1)

/** Makes room for the window's own place and says where. */
export function insertOwn(window: TimeWindow): number {
  window.places.splice(window.end, 0, window.place)
  if (window.inside) window.to++
  return window.end++
}

function firstAfter(places: readonly Whole[], place: Whole): number {
  // Mostly records come in order of time.
  if (places.length === 0 || places[places.length - 1]! <= place) return places.length
  let low = 0
  let high = places.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (places[middle]! <= place) low = middle + 1
    else high = middle
  }
  return low
}

/** A place as what it is more than the one before. */
export const putPlace = (to: Writer, { places }: TimeWindow, index: number): void =>
  putWhole(to, less(places[index]!, index === 0 ? 0 : places[index - 1]!))

export function takePlace(from: Reader, { places }: TimeWindow): void {
  places.push(less(takeWhole(from), -(places.at(-1) ?? 0)))
}
