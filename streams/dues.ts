/**
 * When keys of a version over facts are due, kept beside its state: an entry for each key under the date, or hour, at which one of its
 * values may change without any fact. A tick finds the keys that it concerns by it.
 */
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { DueChange, FindDue, FoundDue } from '../feature-defs/facts/dues.ts'
import type { Layer, Layers, SetPartition } from './state.ts'

const nameOf = ({ set, partition }: SetPartition, { version, layer }: Layer, date: string) =>
  `due/${set}@${version}${layer === 0 ? '' : `.${layer}`}/${partition}/${date}`

const isDue = Uint8Array.of(1)

export const saveDues = (at: SetPartition, layer: Layer, changes: Iterable<DueChange>): Save[] =>
  Array.from(changes, (one) => ({ name: nameOf(at, layer, one.date), key: one.key, value: one.isDue ? isDue : null }))

/** Every entry of a layer, some at a time. */
export async function* dueEntries(checkpoints: Checkpoints, at: SetPartition, layer: Layer): AsyncIterable<readonly DueChange[]> {
  for (const date of await datesOf(checkpoints, at, layer)) {
    for await (const entries of checkpoints.entries(nameOf(at, layer, date))) yield entries.map(([key]) => ({ key, date, isDue: true }))
  }
}

const datesOf = async (checkpoints: Checkpoints, at: SetPartition, layer: Layer): Promise<readonly string[]> => {
  const start = nameOf(at, layer, '')
  return (await checkpoints.names(start)).map((name) => name.slice(start.length))
}

/**
 * Looks through the dates up to the one that has come. A layer beneath is not written any more: what was due there before the date that was
 * reached is over, whereas in the version's own layer nothing of before is left.
 */
export const dueIn =
  (checkpoints: Checkpoints, at: SetPartition, { beneath, ...own }: Layers): FindDue =>
  async (until, after) => {
    const found: FoundDue[] = []
    for (const layer of [own, ...beneath]) {
      const isOwn = layer === own
      for (const date of await datesOf(checkpoints, at, layer)) {
        if (date > until || (!isOwn && after !== null && date < after)) continue
        for await (const entries of checkpoints.entries(nameOf(at, layer, date)))
          for (const [key] of entries) found.push({ key, date, own: isOwn })
      }
    }
    return found
  }
