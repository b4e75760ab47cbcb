/** Entries on their way to another thread, thousands at a time: a few arrays, since each object of them would be copied by itself. */
import type { Save } from '../checkpoints.ts'

export type PackedSaves = {
  /** What several entries lie under, each once. */
  readonly names: readonly string[]
  readonly nameOf: Uint32Array
  readonly keys: readonly string[]
  /** One behind the other; of an entry that is removed there are none. */
  readonly values: Uint8Array<ArrayBuffer>
  readonly ends: Uint32Array
  readonly removed: readonly number[]
}

export function packSaves(save: readonly Save[]): PackedSaves {
  const places = new Map<string, number>()
  const [nameOf, ends] = [new Uint32Array(save.length), new Uint32Array(save.length)]
  const removed: number[] = []
  let size = 0
  for (let i = 0; i < save.length; i++) {
    const { name, value } = save[i]!
    let place = places.get(name)
    if (place === undefined) places.set(name, (place = places.size))
    nameOf[i] = place
    if (value === null) removed.push(i)
    ends[i] = size += value?.length ?? 0
  }
  const values = new Uint8Array(size)
  for (let i = 0; i < save.length; i++) {
    const { value } = save[i]!
    if (value) values.set(value, ends[i]! - value.length)
  }
  return { names: [...places.keys()], nameOf, keys: save.map(({ key }) => key), values, ends, removed }
}

/** One after the other: all of them at once would be thousands of objects that live for as long as the commit. The values are views. */
export function* unpackSaves({ names, nameOf, keys, values, ends, removed }: PackedSaves): Generator<Save> {
  let nextRemoved = 0
  for (let i = 0; i < keys.length; i++) {
    const isRemoved = removed[nextRemoved] === i
    if (isRemoved) nextRemoved++
    const value = isRemoved ? null : values.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!)
    yield { name: names[nameOf[i]!]!, key: keys[i]!, value }
  }
}
