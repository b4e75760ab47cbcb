/** How saved states are written and read: small numbers in few bytes, and whole ones of any size. */
import { wholeOf, type Whole } from './values.ts'

export type Writer = { bytes: Uint8Array; view: DataView; end: number }
/** How much a state holds: the places in time at which it saw a value, and the different values, counted anew at each place. */
export type Held = { readonly places: number; readonly values: number; /** Of the longest text. */ readonly bytes: number }
export type Reader = { readonly bytes: Uint8Array; readonly view: DataView; at: number }

const writerOver = (bytes: Uint8Array): Writer => ({ bytes, view: viewOf(bytes), end: 0 })
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const scratch = writerOver(new Uint8Array(1 << 12))
const inner = writerOver(new Uint8Array(1 << 12))
let slab = new Uint8Array(1 << 16)
let taken = 0

/** What `write` puts, in bytes that nothing else writes to. Not to be nested: all writing shares one scratch. */
export function written(write: (to: Writer) => void): Uint8Array {
  scratch.end = 0
  write(scratch)
  return kept(scratch.bytes.subarray(0, scratch.end))
}

/** Small states share slabs: with a million keys, an allocation outside the heap for each would cost more than all else. */
function kept(bytes: Uint8Array): Uint8Array {
  if (bytes.length > slab.length >> 3) return bytes.slice()
  if (taken + bytes.length > slab.length) {
    slab = new Uint8Array(slab.length)
    taken = 0
  }
  const own = slab.subarray(taken, (taken += bytes.length))
  own.set(bytes)
  return own
}

export const readerOf = (bytes: Uint8Array): Reader => ({ bytes, view: viewOf(bytes), at: 0 })

export function reserve(to: Writer, more: number): void {
  if (to.end + more <= to.bytes.length) return
  const bytes = new Uint8Array(Math.max(to.bytes.length * 2, to.end + more))
  bytes.set(to.bytes)
  to.bytes = bytes
  to.view = viewOf(bytes)
}

/** A whole number from 0 to 2^53, seven bits a byte, the lowest first. */
export function putCount(to: Writer, count: number): void {
  reserve(to, 8)
  let rest = count
  for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) to.bytes[to.end++] = (rest % 128) + 128
  // As an integer of the processor's own, many times as fast.
  let low = rest | 0
  for (; low >= 128; low >>>= 7) to.bytes[to.end++] = (low & 127) | 128
  to.bytes[to.end++] = low
}

export function takeCount(from: Reader): number {
  let count = 0
  for (let unit = 1; ; unit *= 128) {
    if (from.at >= from.bytes.length) throw new RangeError('a saved state ends too early')
    const byte = from.bytes[from.at++]!
    if (byte < 128) return count + byte * unit
    count += (byte - 128) * unit
  }
}

/** Signs alternate, so that small numbers of either sign stay small. */
export const folded = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value)
export const unfolded = (code: number) => (code % 2 === 1 ? -(code + 1) / 2 : code / 2)

export const putSigned = (to: Writer, value: number): void => putCount(to, folded(value))
export const takeSigned = (from: Reader): number => unfolded(takeCount(from))

/** A whole number of any size, which one small enough for `putSigned` is written as. */
export function putWhole(to: Writer, value: Whole): void {
  if (typeof value === 'number' && Math.abs(value) < 2 ** 52) return putSigned(to, value)
  const big = BigInt(value)
  let rest = big < 0n ? -2n * big - 1n : 2n * big
  for (; rest >= 128n; rest >>= 7n) putByte(to, Number(rest & 127n) | 128)
  putByte(to, Number(rest))
}

function putByte(to: Writer, byte: number): void {
  reserve(to, 1)
  to.bytes[to.end++] = byte
}

export function takeWhole(from: Reader): Whole {
  const start = from.at
  while (from.at < from.bytes.length && from.bytes[from.at]! >= 128) from.at++
  if (from.at >= from.bytes.length) throw new RangeError('a saved state ends too early')
  const end = ++from.at
  if (end - start <= 7) {
    from.at = start
    return takeSigned(from)
  }
  let code = 0n
  for (let at = end - 1; at >= start; at--) code = (code << 7n) | BigInt(from.bytes[at]! & 127)
  return wholeOf(code & 1n ? -(code + 1n) / 2n : code / 2n)
}

export function putDouble(to: Writer, value: number): void {
  reserve(to, 8)
  to.view.setFloat64(to.end, value)
  to.end += 8
}

export function takeDouble(from: Reader): number {
  const value = from.view.getFloat64(from.at)
  from.at += 8
  return value
}

export function putBytes(to: Writer, bytes: Uint8Array): void {
  putCount(to, bytes.length)
  reserve(to, bytes.length)
  to.bytes.set(bytes, to.end)
  to.end += bytes.length
}

/** What `put` puts, behind its length. Not to be nested either. */
export function putSized(to: Writer, put: (to: Writer) => void): void {
  inner.end = 0
  put(inner)
  const { bytes, end } = inner
  putCount(to, end)
  reserve(to, end)
  // A view to copy from costs more than a few bytes do.
  if (end > 64) to.bytes.set(bytes.subarray(0, end), to.end)
  else for (let i = 0; i < end; i++) to.bytes[to.end + i] = bytes[i]!
  to.end += end
}

/** A view, not a copy. */
export function takeBytes(from: Reader): Uint8Array {
  const length = takeCount(from)
  if (from.at + length > from.bytes.length) throw new RangeError('a saved state ends too early')
  const bytes = from.bytes.subarray(from.at, from.at + length)
  from.at += length
  return bytes
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function putText(to: Writer, text: string): void {
  const start = to.end
  putCount(to, text.length)
  reserve(to, text.length)
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code >= 128) {
      to.end = start
      return putBytes(to, encoder.encode(text))
    }
    to.bytes[to.end++] = code
  }
}

export const takeText = (from: Reader): string => decoder.decode(takeBytes(from))

const layouts = new Set<number>()

/** The first byte of a saved state, which says how the rest is laid out: a number belongs to one layout for ever. */
export function layoutOf(number: number): number {
  if (layouts.has(number)) throw new RangeError(`two layouts of saved states have the number ${number}`)
  layouts.add(number)
  return number
}

/** Goes past the first byte, which must be one of these. */
export function takeLayout(from: Reader, ...known: readonly number[]): number {
  const found = known.find((layout) => layout === from.bytes[from.at])
  if (found === undefined)
    throw new TypeError(`a saved state of layout ${from.bytes[from.at]} was given to an operator that reads ${known.join(' or ')}`)
  from.at++
  return found
}

/** How a computation saves and loads states of one layout. */
export const savedAs = <State>(layout: number, put: (to: Writer, state: State) => void, take: (from: Reader) => State) => ({
  put(to: Writer, state: State): void {
    putCount(to, layout)
    put(to, state)
  },
  load(saved: Uint8Array): State {
    const from = readerOf(saved)
    takeLayout(from, layout)
    return take(from)
  },
})
