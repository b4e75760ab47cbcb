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

/** The keys that are in memory, by the place at which they are due. */
export function duesInMemory(unit: Unit) {
  /** By slot: where it is due, and where that is kept. */
  const now: number[] = []
  const kept: number[] = []
  const byPlace = new Map<number, Set<number>>()
  const moved = new Set<number>()
  let stale: DueChange[] = []

  return {
    /** The slot was opened, and this is kept of it. */
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
      moved.add(slot)
    },
    /** Those that are due at the date, maybe within its hour. */
    upTo(date: Whole): number[] {
      const last = placeOf(unit, date)
      return [...byPlace].flatMap(([place, slots]) => (place <= last ? [...slots] : []))
    },
    /** What is kept of it under another date than it should is forgotten; what another version kept, this one keeps from now on. */
    found(slot: number, { key, date, own }: FoundDue): void {
      if (!own) moved.add(slot)
      else if (![now[slot]!, kept[slot]!].some((place) => place !== Infinity && placeText(unit, place) === date))
        stale.push({ key, date, isDue: false })
    },
    changes(keyOf: (slot: number) => string): DueChange[] {
      const changes = stale
      stale = []
      for (const slot of moved) {
        const [before, after] = [kept[slot]!, now[slot]!]
        if (before !== after && before !== Infinity) changes.push({ key: keyOf(slot), date: placeText(unit, before), isDue: false })
        if (after !== Infinity) changes.push({ key: keyOf(slot), date: placeText(unit, after), isDue: true })
        kept[slot] = after
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
