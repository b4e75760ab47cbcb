/** Values of columns as SQLite takes them, put into the arguments of a statement of many rows: written for speed. */
import type { Column, TextColumn, Wholes } from '../values/columns.ts'

export type Value = string | number | bigint | null
/** Puts a column's rows from..to into every `stride`-th argument from `at` on. */
export type Fill = (args: Value[], at: number, stride: number, from: number, to: number) => void

const mostDecodedAtOnce = 1 << 24

export const fillWith =
  (valueAt: (row: number) => Value): Fill =>
  (args, at, stride, from, to) => {
    for (let row = from, i = at; row < to; row++, i += stride) args[i] = valueAt(row)
  }

export const valuesOf =
  ({ values, wide }: Wholes) =>
  (row: number): Value => {
    const value = values[row]!
    return value === value ? (wide?.get(row) ?? value) : null
  }

export const fillNumbers =
  (values: Float64Array): Fill =>
  (args, at, stride, from, to) => {
    for (let row = from, i = at; row < to; row++, i += stride) {
      const value = values[row]!
      args[i] = value === value ? value : null
    }
  }

/** Bytes low.. as one string of as many characters: a part of it is had much faster than by decoding each text. */
export type Decoded = { readonly buffer: Buffer; readonly low: number; readonly latin1: string | undefined }

export const fillTexts =
  ({ bytes, starts, ends }: TextColumn, { buffer, low, latin1 }: Decoded): Fill =>
  (args, at, stride, from, to) => {
    for (let row = from, i = at; row < to; row++, i += stride) {
      const start = starts[row]!
      const end = ends[row]!
      if (start < 0) args[i] = null
      else if (latin1 !== undefined && isAscii(bytes, start, end)) args[i] = latin1.substring(start - low, end - low)
      else args[i] = buffer.toString('utf8', start, end)
    }
  }

/** Columns decoded from messages share their bytes, so each stretch of bytes is decoded once for all of them. */
export function decodeTexts(columns: readonly Column[], count: number): ReadonlyMap<Uint8Array, Decoded> {
  const ranges = new Map<Uint8Array, { low: number; high: number }>()
  for (const column of columns) {
    if (column.kind !== 'text') continue
    const { bytes, starts, ends } = column
    let { low, high } = ranges.get(bytes) ?? { low: bytes.length, high: 0 }
    for (let row = 0; row < count; row++) {
      if (starts[row]! < 0) continue
      low = Math.min(low, starts[row]!)
      high = Math.max(high, ends[row]!)
    }
    ranges.set(bytes, { low, high })
  }
  return new Map(
    [...ranges].map(([bytes, { low, high }]) => {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return [
        bytes,
        { buffer, low, latin1: high - low <= mostDecodedAtOnce ? buffer.toString('latin1', low, Math.max(low, high)) : undefined },
      ]
    }),
  )
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 0x7f) return false
  return true
}
