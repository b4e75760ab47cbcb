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
  /**
   * By hash, for twice as many as there are keys at least: the number of a key and one more, 0 for none, its hash, where it begins and how
   * long it is, side by side, so that one look into memory finds them all.
   */
  table: Int32Array
}

const stride = 4

export const newKeys = (): Keys => ({
  count: 0,
  bytes: new Uint8Array(1 << 10),
  starts: new Int32Array(1 << 6),
  table: new Int32Array(stride << 7),
})

/** The number of each text, which gets one when it is new. Null is the key "", as it is everywhere. */
export const numbersOf = (keys: Keys, texts: TextColumn): Int32Array => lookedUp(keys, texts, true)

/** The number of each text, -1 where it is none of the keys. */
export const knownOf = (keys: Keys, texts: TextColumn): Int32Array => lookedUp(keys, texts, false)

export const textOf = ({ bytes, starts }: Keys, key: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).utf8Slice(starts[key]!, starts[key + 1]!)

function lookedUp(keys: Keys, texts: TextColumn, taking: boolean): Int32Array {
  const { bytes: from, starts: begins, ends } = texts
  const hashes = hashesOf(texts)
  const found = new Int32Array(begins.length)
  let { bytes, table } = keys
  let mask = table.length / stride - 1
  for (let row = 0; row < found.length; row++) {
    const hash = hashes[row]!
    const start = begins[row]!
    const length = start < 0 ? 0 : ends[row]! - start
    let place = hash & mask
    let key = table[stride * place]! - 1
    for (; key >= 0; place = (place + 1) & mask, key = table[stride * place]! - 1) {
      if (table[stride * place + 1] !== hash || table[stride * place + 3] !== length) continue
      if (isSame(bytes, table[stride * place + 2]!, from, start, length)) break
    }
    if (key < 0 && taking) {
      key = keys.count
      makeRoom(keys, length)
      ;({ bytes, table } = keys)
      mask = table.length / stride - 1
      if (length > 0) bytes.set(from.subarray(start, start + length), keys.starts[key])
      keys.starts[key + 1] = keys.starts[key]! + length
      put(table, key, hash, keys.starts[key]!, length)
      keys.count++
    }
    found[row] = key
  }
  return found
}

/** In a loop of their own: where nothing waits for the table, the processor looks up several keys at once. */
function hashesOf({ bytes, starts, ends }: TextColumn): Int32Array {
  const hashes = new Int32Array(starts.length)
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let row = 0; row < hashes.length; row++) {
    let at = starts[row]!
    const end = at < 0 ? at : ends[row]!
    let hash = end - at
    for (; at + 4 <= end; at += 4) {
      hash = Math.imul(hash ^ words.getInt32(at, true), 0xcc9e2d51 | 0)
      hash ^= hash >>> 15
    }
    for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    hashes[row] = hash ^ (hash >>> 13)
  }
  return hashes
}

function isSame(bytes: Uint8Array, at: number, others: Uint8Array, from: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[at + i] !== others[from + i]) return false
  return true
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
    const larger = new Int32Array(2 * keys.starts.length)
    larger.set(keys.starts)
    keys.starts = larger
  }
  if (2 * (keys.count + 1) * stride > keys.table.length) {
    const before = keys.table
    keys.table = new Int32Array(2 * before.length)
    for (let at = 0; at < before.length; at += stride)
      if (before[at]! > 0) put(keys.table, before[at]! - 1, before[at + 1]!, before[at + 2]!, before[at + 3]!)
  }
}

function put(table: Int32Array, key: number, hash: number, start: number, length: number): void {
  const mask = table.length / stride - 1
  let place = hash & mask
  while (table[place * stride]! > 0) place = (place + 1) & mask
  table[place * stride] = key + 1
  table[place * stride + 1] = hash
  table[place * stride + 2] = start
  table[place * stride + 3] = length
}
