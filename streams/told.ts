/**
 * What outflow was told of a version's rows, partition by partition: those that came to the warehouse by another way are told again, once
 * for each key, and which versions are shown is told when it changes. Kept with the checkpoints, in the commits that it is true from.
 */
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Shown } from './for-services.ts'
import { fromBytes, toBytes } from './position.ts'

export type Told = {
  /** Every newest row of the version is in this topic, from that offset on, but for those of later numbers than `untold`. */
  readonly topic: string
  readonly from: number
  readonly untold?: number
}

const toldName = (set: string) => `told/${set}`
const keyOf = (version: number, partition: number) => `${version}/${partition}`

/** By version and partition; none of a store of before, in which nobody knows what outflow has. */
export async function loadTold(checkpoints: Checkpoints, set: string): Promise<(version: number, partition: number) => Told | undefined> {
  const saved = await checkpoints.load(toldName(set))
  return (version, partition) => {
    const bytes = saved.get(keyOf(version, partition))
    return bytes && fromBytes<Told>(bytes)
  }
}

export type OfVersion = { readonly set: string; readonly version: number; readonly partition: number }

export const saveTold = ({ set, version, partition }: OfVersion, told: Told): Save => ({
  name: toldName(set),
  key: keyOf(version, partition),
  value: toBytes(told),
})

/** The next message of a partition, and in which topic. */
export async function endOf(log: Log, topic: string, partition: number): Promise<Told> {
  const ends = (await log.topics()).find((one) => one.topic === topic)?.partitions[partition]
  return { topic: (await log.topicId(topic)) ?? '', from: ends?.next ?? 0 }
}

/**
 * To be saved where rows with later numbers than `after` have come to the warehouse and to no outflow; null where all rows that there will
 * be go through it. `end` is where outflow goes on.
 */
export function toldAfter(before: Told | undefined, end: Told, after: number | null): Told {
  if (after === null) return before ?? end
  // Of what was before nobody knows where it was told.
  if (!before) return { ...end, untold: 0 }
  return { ...before, untold: Math.min(after, before.untold ?? after) }
}

const shownName = (set: string) => `shown/${set}`

/** What was told last, and where that lies in each partition of the topics. */
export type ShownTold = Shown & {
  readonly at: readonly { readonly topic: string; readonly id: string; readonly offsets: readonly number[] }[]
}

export async function loadShown(checkpoints: Checkpoints, set: string): Promise<ShownTold | undefined> {
  const saved = (await checkpoints.load(shownName(set))).get('')
  return saved && fromBytes<ShownTold>(saved)
}

export const saveShown = (told: ShownTold): Save => ({ name: shownName(told.set), key: '', value: toBytes(told) })
