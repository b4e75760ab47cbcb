/**
 * How far windows of time reach. Each record has a place in time, a whole number: its day, its month, its microsecond; a window covers the
 * places from one, which is left out, up to another.
 */
import { less, type Whole } from '../values.ts'

/** When the records of a batch happened. */
export type Times = {
  readonly days: Int32Array
  /** Microseconds since 1970 in UTC, of records that say so. */
  readonly micros?: ArrayLike<Whole>
}
export type Places = ArrayLike<Whole>

export type Reach = {
  places(times: Times): Places
  /** The window of a record at this place begins behind the one and ends with the other. */
  after(place: Whole): Whole
  until(place: Whole): Whole
}

export const hourMicros = 3_600_000_000

const back = (places: Reach['places'], length: number): Reach => ({
  places,
  after: (place) => less(place, length),
  until: (place) => place,
})

export const daysBack = (days: number) => back((times) => times.days, days)
export const hoursBack = (hours: number) => back(microsOf, hours * hourMicros)
export const monthsBack = (months: number) => back(({ days }) => monthsIn(days), months)
export const olderThan = (days: number): Reach => ({
  places: (times) => times.days,
  after: () => -Infinity,
  until: (place) => less(place, days),
})
/** Everything has happened at one place. */
export const everything = (): Reach => back(({ days }) => new Int32Array(days.length), 1)

export function microsOf({ micros }: Times): Places {
  if (!micros) throw new TypeError('hours are asked of records that have no timestamp')
  return micros
}

const dayMs = 86_400_000

/** Months since 1970; records of a batch mostly share their days. */
function monthsIn(days: Int32Array): Int32Array {
  const months = new Int32Array(days.length)
  for (let row = 0; row < months.length; row++) {
    const same = row > 0 && days[row] === days[row - 1]
    months[row] = same ? months[row - 1]! : monthOf(days[row]!)
  }
  return months
}

function monthOf(day: number): number {
  const date = new Date(day * dayMs)
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
}
