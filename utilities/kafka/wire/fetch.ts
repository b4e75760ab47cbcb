/**
 * The Fetch request, version 11, and its answer, decoded straight into packed messages. Hot: kafkajs makes a dozen objects for every
 * record. Messages are moved together inside the buffer they came in. Its plain twin is kafkajs's own decoder;
 * test/kafka/kafka-wire.test.ts holds their results equal.
 */
import { long, walk, type Aborted, type Marker, type Visible } from './batches.ts'
import type { Packed } from './produce.ts'

export type FetchFrom = {
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** Committed: only up to the first transaction that is still open, and without those that were aborted. */
  readonly committed: boolean
  readonly maxBytes: number
  /** How long the broker waits when there is nothing. */
  readonly waitMs: number
}

/**
 * A record batch as it lay in the log: whose it was, and which messages it gave (last excluded). A marker ends a transaction of that
 * producer.
 */
export type Span = { readonly producer: number; readonly first: number; readonly last: number; readonly marker?: 'commit' | 'abort' }

export type Fetch = {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStable: number
  /** Behind everything that was looked at, whether it gave messages or not. */
  readonly next: number
  readonly messages: Packed
  readonly offsets: Float64Array
  readonly spans: readonly Span[]
}

export const fetchApi = { name: 'Fetch', key: 1, version: 11 }

export const fetchCodec = {
  request({ topic, partition, from, committed, maxBytes, waitMs }: FetchFrom): readonly Uint8Array[] {
    const name = Buffer.from(topic)
    const body = Buffer.alloc(69 + name.length)
    body.writeInt32BE(-1, 0) // not a replica
    body.writeInt32BE(waitMs, 4)
    body.writeInt32BE(1, 8) // least bytes to wait for
    body.writeInt32BE(maxBytes, 12)
    body.writeInt8(committed ? 1 : 0, 16)
    body.writeInt32BE(0, 17) // no session
    body.writeInt32BE(-1, 21)
    body.writeInt32BE(1, 25) // one topic
    body.writeInt16BE(name.length, 29)
    name.copy(body, 31)
    const at = 31 + name.length
    body.writeInt32BE(1, at) // one partition
    body.writeInt32BE(partition, at + 4)
    body.writeInt32BE(-1, at + 8) // any leader's epoch
    body.writeBigInt64BE(BigInt(from), at + 12)
    body.writeBigInt64BE(-1n, at + 20)
    body.writeInt32BE(maxBytes, at + 28)
    body.writeInt32BE(0, at + 32) // nothing forgotten; then an empty rack
    return [body]
  },

  async answer(payload: Buffer, { from }: FetchFrom): Promise<Fetch> {
    const { errorCode, highWatermark, lastStable, aborted, data } = partitionIn(payload)
    return { errorCode, highWatermark, lastStable, ...(await decode(data, from, aborted)) }
  },
}

/** The answer about the one partition that was asked for. */
export function partitionIn(payload: Buffer) {
  const failed = payload.readInt16BE(4)
  if (failed !== 0 || payload.readInt32BE(10) === 0)
    return { errorCode: failed, highWatermark: -1, lastStable: -1, aborted: [], data: payload.subarray(0, 0) }
  let at = 14 + 2 + payload.readInt16BE(14) + 4 + 4
  const errorCode = payload.readInt16BE(at)
  const highWatermark = long(payload, at + 2)
  const lastStable = long(payload, at + 10)
  const aborted: Aborted[] = []
  const count = payload.readInt32BE(at + 26)
  at += 30
  for (let i = 0; i < count; i++, at += 16) aborted.push({ producer: long(payload, at), from: long(payload, at + 8) })
  const size = Math.max(payload.readInt32BE(at + 4), 0)
  return { errorCode, highWatermark, lastStable, aborted, data: payload.subarray(at + 8, at + 8 + size) }
}

async function decode(
  data: Buffer,
  from: number,
  aborted: readonly Aborted[],
): Promise<Pick<Fetch, 'next' | 'messages' | 'offsets' | 'spans'>> {
  const { batches, next, total, unpacked } = await walk(data, from, aborted)
  return { next, ...unpack(batches, { total, from, target: unpacked === 0 ? data : Buffer.allocUnsafeSlow(unpacked + data.length) }) }
}

/** The target may be the very buffer that the records lie in: messages only ever move forward in it. */
function unpack(
  batches: readonly (Visible | Marker)[],
  { total, from, target }: { readonly total: number; readonly from: number; readonly target: Buffer },
) {
  const ends = new Uint32Array(total)
  const offsets = new Float64Array(total)
  const spans: Span[] = []
  let keys: string[] | undefined
  let absent: Uint8Array | undefined
  let filled = 0
  let n = 0
  for (const batch of batches) {
    if ('marker' in batch) {
      spans.push({ ...batch, first: n, last: n })
      continue
    }
    const { records, base, count, producer } = batch
    const first = n
    for (let i = 0, at = 0; i < count; i++) {
      let b = records[at++]!
      let size = b & 0x7f
      for (let shift = 7; b & 0x80; shift += 7) {
        b = records[at++]!
        size |= (b & 0x7f) << shift
      }
      const end = at + ((size >>> 1) ^ -(size & 1))
      at++ // attributes
      while (records[at++]! & 0x80); // timestamp
      b = records[at++]!
      let delta = b & 0x7f
      for (let shift = 7; b & 0x80; shift += 7) {
        b = records[at++]!
        delta |= (b & 0x7f) << shift
      }
      b = records[at++]!
      let keySize = b & 0x7f
      for (let shift = 7; b & 0x80; shift += 7) {
        b = records[at++]!
        keySize |= (b & 0x7f) << shift
      }
      keySize = (keySize >>> 1) ^ -(keySize & 1)
      const offset = base + (delta >>> 1)
      if (offset < from) {
        at = end
        continue
      }
      if (keySize >= 0) {
        keys ??= new Array<string>(total).fill('', 0, n)
        keys[n] = records.utf8Slice(at, at + keySize)
        at += keySize
      } else if (keys) keys[n] = ''
      b = records[at++]!
      let valueSize = b & 0x7f
      for (let shift = 7; b & 0x80; shift += 7) {
        b = records[at++]!
        valueSize |= (b & 0x7f) << shift
      }
      valueSize = (valueSize >>> 1) ^ -(valueSize & 1)
      if (valueSize > 0) filled += records.copy(target, filled, at, at + valueSize)
      else if (valueSize < 0) (absent ??= new Uint8Array(total))[n] = 1
      ends[n] = filled
      offsets[n++] = offset
      at = end // behind the headers, which nothing of ours has
    }
    spans.push({ producer, first, last: n })
  }
  if (keys) keys.length = n
  const bytes = new Uint8Array(target.buffer, target.byteOffset, filled)
  const messages: Packed = { bytes, ends: ends.subarray(0, n), ...(keys && { keys }), ...(absent && { absent: absent.subarray(0, n) }) }
  return { messages, offsets: offsets.subarray(0, n), spans }
}
