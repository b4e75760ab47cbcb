/** How messages of others name the schema that they were written by: Glue's frame has its UUID, Confluent's its number. */
import { headerBytes, readFrame, uuidOf } from '../../wire.ts'

export type Framing = 'glue' | 'confluent'

const first = { glue: 0x03, confluent: 0x00 } as const
const numberedBytes = 5

/** Which frame a message begins with; undefined when it is none that is looked for. */
export function framingOf(bytes: Uint8Array, from: number, to: number, expected: Framing | undefined): Framing | undefined {
  if (from >= to) return undefined
  const byte = bytes[from]
  if (byte === first.glue && expected !== 'confluent') return 'glue'
  return byte === first.confluent && expected !== 'glue' ? 'confluent' : undefined
}

/** Where its id lies. */
export const idStart: Readonly<Record<Framing, number>> = { glue: 2, confluent: 1 }
export const idBytes: Readonly<Record<Framing, number>> = { glue: 16, confluent: 4 }

/** The id as registries take it, of a message that is as long as its header; undefined for a number that none has. */
export function idOf(framing: Framing, bytes: Uint8Array, from: number): string | undefined {
  if (framing === 'glue') return uuidOf(bytes, from + idStart.glue)
  const id = (bytes[from + 1]! << 24) | (bytes[from + 2]! << 16) | (bytes[from + 3]! << 8) | bytes[from + 4]!
  return id < 0 ? undefined : String(id)
}

export const isWhole = (framing: Framing, from: number, to: number): boolean =>
  to - from >= (framing === 'glue' ? headerBytes : numberedBytes)

export type Body = { readonly bytes: Uint8Array; readonly from: number; readonly to: number }

/** What the frame has within, unpacked; a text says why there is none. */
export function bodyOf(framing: Framing, bytes: Uint8Array, from: number, to: number): Body | string {
  if (!isWhole(framing, from, to)) return 'it is shorter than the header of a framed message'
  if (framing === 'confluent') return { bytes, from: from + numberedBytes, to }
  if (bytes[from + 1] === 0) return { bytes, from: from + headerBytes, to }
  const frame = readFrame(bytes, from, to)
  return frame.ok ? { bytes: frame.payload, from: 0, to: frame.payload.length } : frame.reason
}
