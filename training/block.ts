/** Labels that are asked about at once: of each no more than its moment and its keys is in memory. */
import { newKeys, numbersOf, type Keys } from './keys.ts'
import { keysOfLabels, type KeyField } from './label-keys.ts'
import type { LabelPart, Labels } from './labels.ts'
import { momentsOf, type MomentOptions } from './moments.ts'

export type Block = {
  readonly count: number
  readonly moments: Float64Array
  /** By the name of the key: the keys, and the number of each label's. */
  readonly keys: ReadonlyMap<string, { readonly keys: Keys; readonly numbers: Int32Array }>
}

export const keyName = (per: readonly KeyField[]): string =>
  JSON.stringify(per.map(({ name, field }) => [name, field.kind, scaleOf(field)]))

const scaleOf = (field: KeyField['field']) => (field.kind === 'decimal' ? field.scale : null)

/** The labels in blocks of so many; each part of the file is in one block, so that the last part of one may make it longer. */
export async function* blocksOf(
  labels: Labels,
  pers: readonly (readonly KeyField[])[],
  options: MomentOptions & { readonly most: number; readonly signal: AbortSignal },
): AsyncGenerator<Block> {
  const wanted = [...new Set([options.time, ...pers.flat().map(({ name }) => name)])]
  let gathered = newGathering(pers)
  for await (const part of labels.read(wanted, options.signal)) {
    gathered.add(part, labels.place, options)
    if (gathered.count() < options.most) continue
    yield gathered.block()
    gathered = newGathering(pers)
  }
  if (gathered.count() > 0) yield gathered.block()
}

function newGathering(pers: readonly (readonly KeyField[])[]) {
  const moments: Float64Array[] = []
  const byKey = new Map(pers.map((per) => [keyName(per), { per, keys: newKeys(), numbers: [] as Int32Array[] }]))
  let count = 0
  return {
    count: () => count,
    add(part: LabelPart, place: string, options: MomentOptions): void {
      moments.push(momentsOf(part, place, options))
      for (const { per, keys, numbers } of byKey.values()) numbers.push(numbersOf(keys, keysOfLabels(part, place, per)))
      count += part.rows.count
    },
    block: (): Block => ({
      count,
      moments: joined(moments, new Float64Array(count)),
      keys: new Map([...byKey].map(([name, { keys, numbers }]) => [name, { keys, numbers: joined(numbers, new Int32Array(count)) }])),
    }),
  }
}

function joined<A extends Float64Array | Int32Array>(parts: readonly A[], to: A): A {
  let at = 0
  for (const part of parts) {
    to.set(part, at)
    at += part.length
  }
  return to
}
