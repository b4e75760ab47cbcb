/** What was lost is here again once every table that is read of its connector has had a whole new snapshot, or where somebody says so. */
import type { Loss, Losses } from './losses.ts'
import type { IngestPlace } from './place.ts'

export type LossesAsked = {
  /** The tables that are read of each connector, by its topic of transactions. */
  readonly tables: (topic: string) => readonly string[]
  /** Those that somebody says are none. */
  readonly accepted: Losses
}

/** The place itself where there is none that was accepted, or that a whole snapshot of every table has mended since. */
export function withoutMended(place: IngestPlace, { tables, accepted }: LossesAsked): IngestPlace {
  let losses: Losses = place.losses
  for (const [topic, all] of Object.entries(place.losses)) {
    const own = tables(topic)
    const left = all.filter((one) => !accepted[topic]?.some(({ ended }) => ended === one.ended) && !isMended(place, own, one))
    if (left.length < all.length) losses = { ...losses, [topic]: left }
  }
  return losses === place.losses ? place : { ...place, losses }
}

function isMended({ sources, tables }: IngestPlace, names: readonly string[], { run, ended }: Loss): boolean {
  const isNew = (name: string) => {
    const snapshot = sources[name]?.snapshot
    const lsn = snapshot?.place?.['lsn']
    return snapshot?.state === 'done' && snapshot.run !== run && typeof lsn === 'string' && BigInt(lsn) >= BigInt(ended)
  }
  // A table without rows has none in a snapshot either.
  return names.some(isNew) && names.every((name) => isNew(name) || tables[name]?.rows === 0)
}
