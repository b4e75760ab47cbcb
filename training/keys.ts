/**
 * Keys by their bytes, each with a number from 0 on, written for speed: every row of a set is looked up here, and most of them are of some
 * key that a label has. Its plain twin is a Map of texts (test/training-keys.test.ts); measured by bench/training-set.ts.
 */
import type { TextColumn } from '../utilities/values/columns.ts'

export type Keys = {
  count: number
  /** The bytes of all keys, one behind the other; key i begins at starts[i], and starts[i + 1] is its end. */
  bytes: Uint8Array
  starts: Int32Array
  hashes: Int32Array
  /** By hash, twice as many as there are keys at least: a key's number, or -1. */
  table: Int32Array
}

export const newKeys = (): Keys => ({
  count: 0,
  bytes: new Uint8Array(1 << 10),
  starts: new Int32Array(1 << 6),
  hashes: new Int32Array(1 << 6),
  table: new Int32Array(1 << 7).fill(-1),
})

/** The number of each text, which gets one when it is new. Null is the key "", as it is everywhere. */
export const numbersOf = (keys: Keys, texts: TextColumn): Int32Array => lookedUp(keys, texts, true)

/** The number of each text, -1 where it is none of the keys. */
export const knownOf = (keys: Keys, texts: TextColumn): Int32Array => lookedUp(keys, texts, false)

function lookedUp(keys: Keys, { bytes: from, starts: begins, ends }: TextColumn, taking: boolean): Int32Array {
  const found = new Int32Array(begins.length)
  let { bytes, starts, hashes, table } = keys
  for (let row = 0; row < found.length; row++) {
    const start = begins[row]!
    const end = start < 0 ? start : ends[row]!
    const length = end - start
    let hash = length
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ from[at]!, 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    hash ^= hash >>> 13
    let place = hash & (table.length - 1)
    let key = table[place]!
    for (; key >= 0; key = table[(place = (place + 1) & (table.length - 1))]!) {
      if (hashes[key] !== hash) continue
      const at = starts[key]!
      if (starts[key + 1]! - at !== length) continue
      let same = 0
      while (same < length && bytes[at + same] === from[start + same]) same++
      if (same === length) break
    }
    if (key < 0 && taking) {
      key = keys.count
      makeRoom(keys, length)
      ;({ bytes, starts, hashes, table } = keys)
      if (length > 0) bytes.set(from.subarray(start, end), starts[key]!)
      starts[key + 1] = starts[key]! + length
      hashes[key] = hash
      table[freePlace(table, hash)] = key
      keys.count++
    }
    found[row] = key
  }
  return found
}

/** For one key more, of so many bytes. */
function makeRoom(keys: Keys, length: number): void {
  const end = keys.starts[keys.count]! + length
  if (end > keys.bytes.length) {
    const larger = new Uint8Array(Math.max(2 * keys.bytes.length, end))
    larger.set(keys.bytes)
    keys.bytes = larger
  }
  if (keys.count + 2 > keys.starts.length) {
    for (const name of ['starts', 'hashes'] as const) {
      const larger = new Int32Array(2 * keys.starts.length)
      larger.set(keys[name])
      keys[name] = larger
    }
  }
  if (2 * (keys.count + 1) > keys.table.length) {
    keys.table = new Int32Array(2 * keys.table.length).fill(-1)
    for (let key = 0; key < keys.count; key++) keys.table[freePlace(keys.table, keys.hashes[key]!)] = key
  }
}

function freePlace(table: Int32Array, hash: number): number {
  let place = hash & (table.length - 1)
  while (table[place]! >= 0) place = (place + 1) & (table.length - 1)
  return place
}

export const textOf = ({ bytes, starts }: Keys, key: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).utf8Slice(starts[key]!, starts[key + 1]!)
