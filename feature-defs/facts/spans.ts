/** When a fact comes into a window of time, and when it leaves it again: as dates of its key, counted as the facts' own dates are. */
import { dayIn, dayMicros } from '../../utilities/values/timestamp.ts'
import { less, type Whole } from '../values.ts'
import { hourMicros } from '../windows/reach.ts'
import type { Unit } from './standing.ts'

/** A fact is in the window of every date from `enters` on that comes before `leaves`. Both rise with `at`. */
export type Span = {
  enters(at: Whole): Whole
  /** Of what entered then; where there is none, nothing ever leaves. */
  readonly leaves?: (entered: Whole) => Whole
}

export type SpanOf = (unit: Unit) => Span

const later = (date: Whole, by: number) => less(date, -by)

/** The moment at which a day begins. */
const beginning = (unit: Unit, day: number): Whole => {
  if (unit === 'date') return day
  const micros = day * dayMicros
  return Number.isSafeInteger(micros) ? micros : BigInt(day) * BigInt(dayMicros)
}
const dayOf = (unit: Unit, date: Whole): number => (unit === 'date' ? Number(date) : dayIn(date))

export const daysBack =
  (days: number): SpanOf =>
  (unit) => ({ enters: (at) => at, leaves: (entered) => beginning(unit, dayOf(unit, entered) + days) })

export const hoursBack =
  (hours: number): SpanOf =>
  () => ({ enters: (at) => at, leaves: (entered) => later(entered, hours * hourMicros) })

export const monthsBack =
  (months: number): SpanOf =>
  (unit) => ({ enters: (at) => at, leaves: (entered) => beginning(unit, firstOfMonth(dayOf(unit, entered), months)) })

export const olderThan =
  (days: number): SpanOf =>
  (unit) => ({ enters: (at) => beginning(unit, dayOf(unit, at) + days) })

const dayMs = 86_400_000

/** The first day of the month that comes so many months later. */
function firstOfMonth(day: number, months: number): number {
  const date = new Date(day * dayMs)
  return Math.floor(new Date(0).setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + months, 1) / dayMs)
}
