/** Arrays that grow as they are filled: what is small stays small, and what has grown is used again. */

export type Bytes = { array: Uint8Array; end: number }

export const newBytes = (): Bytes => ({ array: new Uint8Array(0), end: 0 })

/** Room for so many more. */
export function roomFor(bytes: Bytes, more: number): void {
  if (bytes.end + more <= bytes.array.length) return
  const larger = new Uint8Array(Math.max(2 * bytes.array.length, bytes.end + more, 64))
  larger.set(bytes.array.subarray(0, bytes.end))
  bytes.array = larger
}

export function putBytes(bytes: Bytes, more: Uint8Array): void {
  roomFor(bytes, more.length)
  bytes.array.set(more, bytes.end)
  bytes.end += more.length
}

/** The same array, or a larger one with the same `used` values at its beginning. */
export function grown<A extends Int32Array | Uint8Array | Float64Array | BigInt64Array>(array: A, used: number, wanted: number): A {
  if (wanted <= array.length) return array
  const larger = new (array.constructor as new (length: number) => A)(Math.max(2 * array.length, wanted, 64))
  larger.set(array.subarray(0, used) as never)
  return larger
}

/** Calls that move many bytes at once cost more than a loop over a few. */
const fewBytes = 32

export function copyText(to: Uint8Array, at: number, from: Uint8Array, start: number, length: number): void {
  if (length > fewBytes) to.set(from.subarray(start, start + length), at)
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!
}
