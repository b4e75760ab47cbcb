/**
 * The rows of a batch brought together by key, in their order within each: an operator then runs over stretches instead of single rows, and a key's
 * state is fetched from memory once a batch. Written for speed; that it changes no bit is in test/engine.test.ts.
 */

export type Stretches = {
  /** The slots met, and where the rows of each end in `order`. */
  readonly slots: Int32Array
  readonly ends: Int32Array
  /** The rows, those of the first slot first. */
  readonly order: Int32Array
}

/** Keeps its tally between batches: a batch touches few of a million slots. */
export function stretcher(): (rowSlots: Int32Array, slotCount: number) => Stretches {
  let tally = new Int32Array(1 << 10)
  return (rowSlots, slotCount) => {
    if (slotCount > tally.length) tally = new Int32Array(2 * slotCount)
    const count = rowSlots.length
    const met = new Int32Array(Math.min(count, slotCount))
    let slots = 0
    for (let row = 0; row < count; row++) if (tally[rowSlots[row]!]!++ === 0) met[slots++] = rowSlots[row]!
    let start = 0
    for (let i = 0; i < slots; i++) {
      const rows = tally[met[i]!]!
      tally[met[i]!] = start
      start += rows
    }
    const order = new Int32Array(count)
    for (let row = 0; row < count; row++) order[tally[rowSlots[row]!]!++] = row
    const ends = new Int32Array(slots)
    for (let i = 0; i < slots; i++) {
      ends[i] = tally[met[i]!]!
      tally[met[i]!] = 0
    }
    return { slots: met.subarray(0, slots), ends, order }
  }
}
