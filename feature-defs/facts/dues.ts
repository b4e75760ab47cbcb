/**
 * When keys are due: the next date at which a value of theirs may change without any fact. Kept by day, or by hour where facts have a time,
 * so that a tick finds the keys it concerns without looking at all of them.
 */
import { lastDay } from '../../schemas/avro/field-places.ts'
import { dayText } from '../../utilities/values/day.ts'
import { isoText } from '../../utilities/values/timestamp.ts'
import type { Whole } from '../values.ts'
import { hourMicros } from '../windows/reach.ts'
import type { Unit } from './standing.ts'

/** A key that is found to be due at a date, as kept; `own` is false where the version reads it from another one's. */
export type FoundDue = { readonly key: string; readonly date: string; readonly own: boolean }

/** Finds those that are due up to a date; of what others kept, from the date on that was reached before. */
export type FindDue = (until: string, after: string | null) => Promise<readonly FoundDue[]>

/** Whether the key is due at the date from now on, or not any more. */
export type DueChange = { readonly key: string; readonly date: string; readonly isDue: boolean }

/** The day, or the hour, as a whole number; Infinity where no date comes any more. */
export function placeOf(unit: Unit, date: Whole): number {
  if (unit === 'date') return Number(date) > lastDay ? Infinity : Number(date)
  const hour = Math.floor(Number(date) / hourMicros)
  return hour >= (lastDay + 1) * 24 ? Infinity : hour
}

/** As it is kept: texts sort as dates do. */
export const placeText = (unit: Unit, place: number): string =>
  unit === 'date' ? dayText(place) : isoText(place * hourMicros).slice(0, 'YYYY-MM-DDTHH'.length)

/**
 * The keys that are in memory, by the place at which they are due. What is kept of a key may be a date before that: it is written only
 * where it must be an earlier one, and brought to what is so when its date comes. So facts that move it on, as most do, write nothing.
 */
export function duesInMemory(unit: Unit) {
  /** By slot: where it is due, and a place no later than that at which it is kept. */
  const now: number[] = []
  const kept: number[] = []
  const byPlace = new Map<number, Set<number>>()
  /** To be kept anew, and what was found of keys at dates that have come. */
  const moved = new Set<number>()
  let passed: { readonly slot: number; readonly date: string }[] = []

  return {
    /** The slot was opened: what is kept of it is so, or of a date before. */
    opened(slot: number, due: Whole): void {
      kept[slot] = now[slot] = placeOf(unit, due)
      if (now[slot] !== Infinity) add(byPlace, now[slot]!, slot)
    },
    move(slot: number, due: Whole): void {
      const place = placeOf(unit, due)
      if (place === now[slot]) return
      byPlace.get(now[slot]!)?.delete(slot)
      if (byPlace.get(now[slot]!)?.size === 0) byPlace.delete(now[slot]!)
      now[slot] = place
      if (place !== Infinity) add(byPlace, place, slot)
      if (place < kept[slot]!) moved.add(slot)
    },
    /** Those that are due at the date, maybe within its hour. */
    upTo(date: Whole): number[] {
      const last = placeOf(unit, date)
      return [...byPlace].flatMap(([place, slots]) => (place <= last ? [...slots] : []))
    },
    /** A date that has come is over; what another version kept, this one keeps from now on. */
    found(slot: number, { date, own }: FoundDue): void {
      moved.add(slot)
      if (own) passed.push({ slot, date })
    },
    /** The date has come for these. */
    reached(slots: readonly number[], date: Whole): void {
      const last = placeOf(unit, date)
      for (const slot of slots) if (kept[slot]! <= last) moved.add(slot)
    },
    changes(keyOf: (slot: number) => string): DueChange[] {
      const changes: DueChange[] = []
      const over = (slot: number, date: string) => {
        if (now[slot] === Infinity || placeText(unit, now[slot]!) !== date) changes.push({ key: keyOf(slot), date, isDue: false })
      }
      for (const { slot, date } of passed) over(slot, date)
      passed = []
      for (const slot of moved) {
        if (kept[slot] !== Infinity) over(slot, placeText(unit, kept[slot]!))
        if (now[slot] !== Infinity) changes.push({ key: keyOf(slot), date: placeText(unit, now[slot]!), isDue: true })
        kept[slot] = now[slot]!
      }
      moved.clear()
      return changes
    },
  }
}

function add(byPlace: Map<number, Set<number>>, place: number, slot: number): void {
  const slots = byPlace.get(place)
  if (slots) slots.add(slot)
  else byPlace.set(place, new Set([slot]))
}
