/** How far a version on its way to the stream has come on a partition: saved behind the rows, so that one that was cut short goes on. */
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { fromBytes, toBytes } from '../streams/position.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'

type OnPartition = { readonly definition: Pick<Definition, 'set' | 'version'>; readonly partition: number }

export const placeName = ({ definition, partition }: OnPartition) => `fill/${label(definition)}/${partition}`

export type FilledUpTo = {
  readonly seq: number
  readonly unread: number
  readonly layer?: number
  /** Over facts: how many rows it has made, and the last tick. */
  readonly made?: number
  readonly tick?: number
}

export const savePlace = (of: OnPartition, place: FilledUpTo): Save => ({ name: placeName(of), key: 'at', value: toBytes(place) })

/** Stores of before kept a number and the state there: it is computed again. */
export async function savedPlace(checkpoints: Checkpoints, of: OnPartition): Promise<FilledUpTo | undefined> {
  const saved = await checkpoints.load(placeName(of))
  const place = saved.size === 1 && saved.has('at') ? fromBytes<FilledUpTo | number>(saved.get('at')!) : undefined
  return typeof place === 'object' ? place : undefined
}

/** Removes the place, once the checkpoint has it all. */
export const forgetPlace = async (checkpoints: Checkpoints, of: OnPartition): Promise<Save[]> =>
  [...(await checkpoints.load(placeName(of))).keys()].map((key) => ({ name: placeName(of), key, value: null }))
