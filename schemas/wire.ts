/**
 * What messages are made of on the wire: the frame, as AWS Glue has it (0x03, the compression, the schema version's id in 16 bytes, then
 * Avro binary), and Avro's numbers.
 */
import { deflateSync, inflateSync } from 'node:zlib'
import type { Batch } from '../utilities/log.ts'

export type Compression = 'none' | 'zlib'
export type Frame = {
  readonly ok: true
  readonly id: string
  readonly compression: Compression
  /** Unpacked. */
  readonly payload: Uint8Array
}
export type Unframed = { readonly ok: false; readonly reason: string }

/** Messages from..to (to excluded) that carry the same header, or that fail for the same reason. */
export type SchemaRun =
  | { readonly id: string; readonly compression: Compression; readonly reason: undefined; readonly from: number; readonly to: number }
  | { readonly id: undefined; readonly compression: undefined; readonly reason: string; readonly from: number; readonly to: number }

export const headerBytes = 18
const compressions: readonly (readonly [number, Compression])[] = [
  [0x00, 'none'],
  [0x05, 'zlib'],
]

/** A few bytes can be packed so that they unpack into gigabytes. */
const mostUnpackedBytes = 16 * 1024 * 1024

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function bytesOfUuid(id: string): Uint8Array {
  if (!uuidPattern.test(id)) throw new TypeError(`${id} is not a UUID`)
  return Uint8Array.from(Buffer.from(id.replaceAll('-', ''), 'hex'))
}

export function uuidOf(bytes: Uint8Array, start = 0): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset + start, 16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export function frameHeader(id: string, compression: Compression = 'none'): Uint8Array {
  const code = compressions.find(([, name]) => name === compression)![0]
  return Uint8Array.of(0x03, code, ...bytesOfUuid(id))
}

export function frame(id: string, payload: Uint8Array, compression: Compression = 'none'): Uint8Array {
  return Buffer.concat([frameHeader(id, compression), compression === 'zlib' ? deflateSync(payload) : payload])
}

/** Reads the message bytes[start .. end). */
export function readFrame(bytes: Uint8Array, start: number, end: number): Frame | Unframed {
  const reason = faultOf(bytes, start, end)
  if (reason !== undefined) return { ok: false, reason }
  const id = uuidOf(bytes, start + 2)
  const compression = compressionOf(bytes, start)!
  const body = bytes.subarray(start + headerBytes, end)
  if (compression === 'none') return { ok: true, id, compression, payload: body }
  const unpacked = unpack(body)
  return typeof unpacked === 'string' ? { ok: false, reason: unpacked } : { ok: true, id, compression, payload: unpacked }
}

function unpack(body: Uint8Array): Uint8Array | string {
  try {
    const unpacked = inflateSync(body, { maxOutputLength: mostUnpackedBytes, info: true })
    const { buffer, engine } = unpacked as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }
    return engine.bytesWritten === body.length ? buffer : `${body.length - engine.bytesWritten} bytes follow the zlib data`
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ERR_BUFFER_TOO_LARGE'
      ? `it would unpack to more than ${mostUnpackedBytes} bytes`
      : `its zlib data cannot be unpacked: ${message}`
  }
}

const compressionOf = (bytes: Uint8Array, start: number) => compressions.find(([code]) => code === bytes[start + 1])?.[1]

function faultOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start < headerBytes) return 'it is shorter than the header of a framed message'
  if (bytes[start] !== 0x03) return 'it is not framed: its first byte is not 0x03'
  return compressionOf(bytes, start) === undefined ? 'its compression is unknown: its second byte is neither 0x00 nor 0x05' : undefined
}

/** Groups a batch by header, in order; packed data is not looked at. */
export function runsOfId({ bytes, ends }: Batch): readonly SchemaRun[] {
  const runs: SchemaRun[] = []
  let from = 0
  let firstStart = 0
  let start = 0
  for (let index = 0; index < ends.length; index++) {
    if (index > from && !alike(bytes, firstStart, ends[from]!, start, ends[index]!)) {
      runs.push(runAt(bytes, firstStart, ends[from]!, from, index))
      from = index
      firstStart = start
    }
    start = ends[index]!
  }
  if (ends.length > 0) runs.push(runAt(bytes, firstStart, ends[from]!, from, ends.length))
  return runs
}

function runAt(bytes: Uint8Array, start: number, end: number, from: number, to: number): SchemaRun {
  const reason = faultOf(bytes, start, end)
  if (reason !== undefined) return { id: undefined, compression: undefined, reason, from, to }
  return { id: uuidOf(bytes, start + 2), compression: compressionOf(bytes, start)!, reason, from, to }
}

/** Runs once per message: the same 18 bytes are the same run, and only what differs is looked at closely. */
function alike(bytes: Uint8Array, one: number, oneEnd: number, other: number, otherEnd: number): boolean {
  if (oneEnd - one >= headerBytes && otherEnd - other >= headerBytes) {
    let i = 0
    while (i < headerBytes && bytes[one + i] === bytes[other + i]) i++
    if (i === headerBytes) return true
  }
  const fault = faultOf(bytes, one, oneEnd)
  return fault !== undefined && fault === faultOf(bytes, other, otherEnd)
}

/** Avro numbers of varying length, 7 bits a byte. They are handled as two halves of 32 bits: exact, and no BigInt is made. */
export const zigzagLength = (low: number, high: number) =>
  varintLength((low << 1) ^ (high >> 31), ((high << 1) | (low >>> 31)) ^ (high >> 31))

export const putZigzag = (out: Uint8Array, at: number, low: number, high: number) =>
  putVarint(out, at, (low << 1) ^ (high >> 31), ((high << 1) | (low >>> 31)) ^ (high >> 31))

export function varintLength(low: number, high: number): number {
  const bits = high === 0 ? 32 - Math.clz32(low | 1) : 64 - Math.clz32(high)
  return ((bits + 6) / 7) | 0
}

export function putVarint(out: Uint8Array, at: number, low: number, high: number): number {
  let p = at
  while (high !== 0 || low >>> 0 > 0x7f) {
    out[p++] = (low & 0x7f) | 0x80
    low = (low >>> 7) | (high << 25)
    high >>>= 7
  }
  out[p++] = low
  return p
}

export const cutOff = -1
export const tooLong = -2

/** What readZigzag has read last: the low and the high half. */
export const long = new Int32Array(2)

/** Reads a number of up to 64 bits into `long` and returns the place behind it; cutOff or tooLong when there is none. */
export function readZigzag(bytes: Uint8Array, at: number, end: number): number {
  let p = at
  let low = 0
  for (let shift = 0; shift < 28; shift += 7) {
    if (p >= end) return cutOff
    const byte = bytes[p++]!
    low |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      long[0] = (low >>> 1) ^ -(low & 1)
      long[1] = -(low & 1)
      return p
    }
  }
  return readLarge(bytes, p, end, low)
}

/** The rest of a number that has more than 28 bits. */
function readLarge(bytes: Uint8Array, at: number, end: number, low28: number): number {
  let p = at
  let low = low28
  let high = 0
  for (let shift = 28; ; shift += 7) {
    if (p >= end) return cutOff
    const byte = bytes[p++]!
    if (shift === 28) {
      low |= byte << 28
      high = (byte & 0x7f) >>> 4
    } else high |= (byte & 0x7f) << (shift - 32)
    if (shift === 63 && byte > 1) return tooLong
    if (byte < 0x80) break
  }
  long[0] = ((low >>> 1) | (high << 31)) ^ -(low & 1)
  long[1] = (high >>> 1) ^ -(low & 1)
  return p
}
