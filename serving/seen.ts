/** Which versions of a set are shown: what outflow says goes once it was seen in every partition in which it stands. Pure. */
import type { Shown } from '../streams/for-services.ts'

export type Seen = {
  /** By place, the latest that was seen there. */
  readonly at: { readonly [place: string]: number }
  /** What was seen somewhere, and is not passed yet. */
  readonly shown: readonly Shown[]
}

export const nothingSeen: Seen = { at: {}, shown: [] }

const placeOf = (topic: string, partition: number) => `${topic}/${partition}`

/** It may be told again, and what one partition was told may be left out in another, where something later was told. */
export function see({ at, shown }: Seen, now: Shown, topic: string, partition: number): Seen {
  const place = placeOf(topic, partition)
  return {
    at: { ...at, [place]: Math.max(now.events, at[place] ?? 0) },
    shown: [...shown.filter(({ events }) => events !== now.events), now],
  }
}

/** The latest that every partition has told, or something later; undefined where none is later than `events`. */
export function goesBy({ at, shown }: Seen, events: number): Shown | undefined {
  const isSeen = (one: Shown) =>
    one.topics.every(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => at[placeOf(topic, partition)] ?? 0).every((seen) => seen >= one.events),
    )
  return shown.filter((one) => one.events > events && isSeen(one)).sort((a, b) => b.events - a.events)[0]
}

/** Without what nobody waits for any more. */
export const passed = ({ at, shown }: Seen, events: number): Seen => ({ at, shown: shown.filter((one) => one.events > events) })
