/** Where messages lie in the buffer that the encoder fills, written for speed. */
import { putZigzag } from '../wire.ts'
import type { FieldPlace } from './field-places.ts'

/** Which rows, in which order. */
export type Rows = Int32Array | { readonly from: number; readonly to: number }

export function indexes(rows: Rows): Int32Array {
  if (rows instanceof Int32Array) return rows
  const all = new Int32Array(rows.to - rows.from)
  for (let k = 0; k < all.length; k++) all[k] = rows.from + k
  return all
}

/** Turns lengths into ends, in place, and returns the starts. */
export function startsOf(lengths: Uint32Array): Uint32Array {
  const starts = new Uint32Array(lengths.length)
  let end = 0
  for (let k = 0; k < lengths.length; k++) {
    starts[k] = end
    end += lengths[k]!
    lengths[k] = end
  }
  if (end > 0x7fffffff) throw new RangeError('a batch of 2 GiB is too large: use fewer rows')
  return starts
}

/** Not cleared: every byte is written. */
export const bytesFor = (ends: Uint32Array) => new Uint8Array(Buffer.allocUnsafeSlow(ends.at(-1) ?? 0).buffer)

/** A call into the engine costs more than a short loop. */
export function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  if (end - start > 40) to.set(from.subarray(start, end), at)
  else for (let i = start, p = at; i < end; i++, p++) to[p] = from[i]!
  return at + end - start
}

/** Values that a checked row cannot have: whoever filled the column has a bug. */
export const refuse = ({ column }: FieldPlace, row: number, value: unknown): never => {
  throw new TypeError(`column ${column}, row ${row}: ${String(value)} cannot be written`)
}

export function varint(value: bigint): number[] {
  const out = new Uint8Array(10)
  return [...out.subarray(0, putZigzag(out, 0, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))))]
}
