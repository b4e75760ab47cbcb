/** Small whole numbers as Parquet packs them, written for speed: runs of one value, and between them values of a few bits each. */
import { roomFor, type Bytes } from './bytes.ts'

/** What a header of one byte can count: the oldest readers expect no more. */
const mostPacked = 63 * 8

export const bitsFor = (distinct: number): number => Math.max(1, 32 - Math.clz32(distinct - 1))

/** Appends the values from..end, each below 2^bits with at most 16 bits. */
export function putHybrid(to: Bytes, values: Int32Array, from: number, end: number, bits: number): void {
  // Sixteen bits a value and a header for every eight are the most.
  roomFor(to, 64 + (end - from) * 3)
  const words = new DataView(to.array.buffer)
  let packedFrom = from
  let at = from
  // Values are looked at by eight: what runs is either all of them or not worth the search.
  while (at + 8 <= end) {
    const value = values[at]!
    if (!isRun(values, at, value)) {
      at += 8
      continue
    }
    let runEnd = at + 8
    while (runEnd + 8 <= end && isRun(values, runEnd, value)) runEnd += 8
    if (runEnd + 8 > end) while (runEnd < end && values[runEnd] === value) runEnd++
    putPacked(to, words, values, packedFrom, at, bits)
    putRun(to, value, runEnd - at, bits)
    // Less than eight are left only at the end.
    packedFrom = at = runEnd
  }
  putPacked(to, words, values, packedFrom, end, bits)
}

const isRun = (values: Int32Array, at: number, value: number): boolean =>
  ((values[at]! ^ value) |
    (values[at + 1]! ^ value) |
    (values[at + 2]! ^ value) |
    (values[at + 3]! ^ value) |
    (values[at + 4]! ^ value) |
    (values[at + 5]! ^ value) |
    (values[at + 6]! ^ value) |
    (values[at + 7]! ^ value)) ===
  0

/** There must be room for it. */
export function putRun(to: Bytes, value: number, length: number, bits: number): void {
  let rest = length * 2
  for (; rest >= 0x80; rest >>>= 7) to.array[to.end++] = (rest & 0x7f) | 0x80
  to.array[to.end++] = rest
  for (let shift = 0; shift < bits; shift += 8) to.array[to.end++] = value >> shift
}

function putPacked(to: Bytes, words: DataView, values: Int32Array, from: number, end: number, bits: number): void {
  let at = to.end
  for (let start = from; start < end; start += mostPacked) {
    const stop = Math.min(end, start + mostPacked)
    const eights = (stop - start + 7) >> 3
    words.setUint8(at++, eights * 2 + 1)
    const packedEnd = at + eights * bits
    let held = 0
    let heldBits = 0
    for (let i = start; i < stop; i++) {
      const value = values[i]!
      held |= value << heldBits
      heldBits += bits
      if (heldBits >= 32) {
        words.setInt32(at, held, true)
        at += 4
        heldBits -= 32
        held = value >>> (bits - heldBits)
      }
    }
    // The last eight may be fewer: zeros stand for the rest.
    for (; at < packedEnd; held >>>= 8) words.setUint8(at++, held)
  }
  to.end = at
}
