/**
 * How far a batch has come: saved now and then under names of its own, so that one that was cut short goes on, and taken over at its end.
 */
import { fromBytes, toBytes } from '../streams/position.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'

type State = ReadonlyMap<string, Uint8Array>

export type Progress = {
  /** The rows of the batch up to this one are written; 0 when nothing was saved. */
  readonly place: number
  /** By version, the entries of state that have changed since the batch began. */
  readonly states: ReadonlyMap<number, State>
}

const placeName = (set: string, partition: number) => `backfill/${set}/${partition}`
const stateName = (set: string, version: number, partition: number) => `backfill/${set}@${version}/${partition}`

export async function loadProgress(
  checkpoints: Checkpoints,
  set: string,
  partition: number,
  versions: readonly number[],
): Promise<Progress> {
  const saved = (await checkpoints.load(placeName(set, partition))).get('')
  const states = await Promise.all(
    versions.map(async (version) => [version, await checkpoints.load(stateName(set, version, partition))] as const),
  )
  return { place: saved ? fromBytes<number>(saved) : 0, states: new Map(states) }
}

/** `changes` by version: the entries that have changed since the last time. */
export const saveProgress = (set: string, partition: number, place: number, changes: ReadonlyMap<number, State>): Save[] => [
  { name: placeName(set, partition), key: '', value: toBytes(place) },
  ...[...changes].flatMap(([version, entries]) =>
    [...entries].map(([key, value]) => ({ name: stateName(set, version, partition), key, value })),
  ),
]

export const forgetProgress = (set: string, partition: number, { states }: Progress): Save[] => [
  { name: placeName(set, partition), key: '', value: null },
  ...[...states].flatMap(([version, entries]) =>
    [...entries.keys()].map((key) => ({ name: stateName(set, version, partition), key, value: null })),
  ),
]
