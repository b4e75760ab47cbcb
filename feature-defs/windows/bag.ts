/**
 * The values of a window with how often each is there, and the different ones in order, for what cannot be told from totals.
 *
 * In order they lie in blocks, so that a value among a million costs the move of one block; the blocks' sizes lead to a value of a rank.
 */
import { compareValues, type Value } from '../values.ts'

type Block = { readonly values: Value[]; /** Of its values, each as often as it is there. */ size: number }
export type Bag = {
  readonly counts: Map<Value, number>
  size: number
  readonly blocks: Block[]
  /** Goes up when a different value comes in, or one leaves. */
  changes: number
}

const fullBlock = 512

export const emptyBag = (): Bag => ({ counts: new Map(), size: 0, blocks: [], changes: 0 })

export function empty(bag: Bag): void {
  bag.counts.clear()
  bag.blocks.length = 0
  bag.size = 0
  bag.changes++
}

export function put(bag: Bag, value: Value, times = 1): void {
  const known = bag.counts.get(value)
  bag.counts.set(value, (known ?? 0) + times)
  bag.size += times
  if (bag.blocks.length === 0) bag.blocks.push({ values: [], size: 0 })
  const at = blockOf(bag, value)
  const block = bag.blocks[at]!
  block.size += times
  if (known !== undefined) return
  bag.changes++
  block.values.splice(placeIn(block.values, value), 0, value)
  if (block.values.length > fullBlock) split(bag, at)
}

export function take(bag: Bag, value: Value, times = 1): void {
  const left = bag.counts.get(value)! - times
  bag.size -= times
  const at = blockOf(bag, value)
  const block = bag.blocks[at]!
  block.size -= times
  if (left > 0) {
    bag.counts.set(value, left)
    return
  }
  bag.counts.delete(value)
  bag.changes++
  block.values.splice(placeIn(block.values, value), 1)
  if (block.values.length === 0) bag.blocks.splice(at, 1)
}

/** The value at this place, from 1 on, of all in order. */
export function ranked({ blocks, counts }: Bag, rank: number): Value {
  let left = rank
  for (const { values, size } of blocks) {
    if (left > size) left -= size
    else for (const value of values) if ((left -= counts.get(value)!) <= 0) return value
  }
  return NaN
}

/** NaN where there is none. */
export const least = ({ blocks }: Bag): Value => blocks[0]?.values[0] ?? NaN
export const greatest = ({ blocks }: Bag): Value => blocks.at(-1)?.values.at(-1) ?? NaN

export function* different({ blocks }: Bag): Generator<Value> {
  for (const { values } of blocks) yield* values
}

/** The last block whose first value is not behind this one, or the first. */
function blockOf({ blocks }: Bag, value: Value): number {
  let [low, high] = [0, blocks.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (compareValues(blocks[middle]!.values[0]!, value) <= 0) low = middle
    else high = middle - 1
  }
  return low
}

function placeIn(values: readonly Value[], value: Value): number {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareValues(values[middle]!, value) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function split({ blocks, counts }: Bag, at: number): void {
  const { values } = blocks[at]!
  const behind = values.splice(values.length >> 1)
  const sizeOf = (some: readonly Value[]) => some.reduce<number>((size, value) => size + counts.get(value)!, 0)
  blocks[at]!.size = sizeOf(values)
  blocks.splice(at + 1, 0, { values: behind, size: sizeOf(behind) })
}
