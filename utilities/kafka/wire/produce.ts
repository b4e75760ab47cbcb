/**
 * The Produce request, version 7, and its record batches, built straight from packed messages. Hot: kafkajs makes an object and a buffer
 * for every record, which costs most of a producer's time. Its plain twin is kafkajs's own encoder; test/kafka/kafka-wire.test.ts holds
 * their bytes equal.
 */
import { codecs, compress, type Compression } from './compression.ts'
import { crc32c } from './crc.ts'
import type { Batch } from '../../log.ts'

/** Messages, some of which may have no value at all: those remove their key from a compacted topic. */
export type Packed = Batch & { readonly absent?: Uint8Array }

/** Some of the messages of a batch (last excluded), as the broker needs them to recognise what is sent again. */
export type BatchSlice = {
  readonly messages: Packed
  readonly first: number
  readonly last: number
  readonly sequence: number
  readonly timestampMs: number
}

export type Producer = { readonly transactionalId: string; readonly id: bigint; readonly epoch: number; readonly compression: Compression }

export type RecordSet = { readonly topic: string; readonly partition: number; readonly part: BatchSlice }

export type Produced = { readonly topic: string; readonly partition: number; readonly errorCode: number; readonly offset: number }

export const produceApi = { name: 'Produce', key: 0, version: 7 }

export const produceCodec = {
  /** At most one record set for each partition. */
  async request(producer: Producer, timeoutMs: number, sets: readonly RecordSet[]): Promise<readonly Uint8Array[]> {
    const batches = await Promise.all(sets.map(({ part }) => recordBatch(part, producer)))
    const byTopic = Map.groupBy(
      sets.map((set, i) => ({ ...set, batch: batches[i]! })),
      ({ topic }) => topic,
    )
    return [
      Buffer.concat([string(producer.transactionalId), int16(-1), int32(timeoutMs), int32(byTopic.size)]),
      ...[...byTopic].flatMap(([topic, ones]) => [
        Buffer.concat([string(topic), int32(ones.length)]),
        ...ones.flatMap(({ partition, batch }) => [Buffer.concat([int32(partition), int32(batch.length)]), batch]),
      ]),
    ]
  },

  answer(payload: Buffer): readonly Produced[] {
    const produced: Produced[] = []
    let at = 4
    for (let topics = payload.readInt32BE(0); topics > 0; topics--) {
      const nameEnd = at + 2 + payload.readInt16BE(at)
      const topic = payload.toString('utf8', at + 2, nameEnd)
      const partitions = payload.readInt32BE(nameEnd)
      at = nameEnd + 4
      // Partition, error, offset; then two numbers that are of no use here.
      for (let i = 0; i < partitions; i++, at += 30) {
        produced.push({
          topic,
          partition: payload.readInt32BE(at),
          errorCode: payload.readInt16BE(at + 4),
          offset: Number(payload.readBigInt64BE(at + 6)),
        })
      }
    }
    return produced
  },
}

const headerSize = 61
/** Beside key and value: length, attributes, timestamp, offset, two lengths, and the number of headers. */
const recordOverhead = 5 + 1 + 1 + 5 + 5 + 5 + 1

export async function recordBatch(part: BatchSlice, { id, epoch, compression }: Producer): Promise<Buffer> {
  const { messages, first, last, sequence, timestampMs } = part
  const { buffer, end } = records(messages, first, last)
  let batch = buffer.subarray(0, end)
  if (compression !== 'none')
    batch = Buffer.concat([buffer.subarray(0, headerSize), await compress(buffer.subarray(headerSize, end), compression)])
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(0, 12)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(codecs[compression] | 16, 21)
  batch.writeInt32BE(last - first - 1, 23)
  batch.writeBigInt64BE(BigInt(timestampMs), 27)
  batch.writeBigInt64BE(BigInt(timestampMs), 35)
  batch.writeBigInt64BE(id, 43)
  batch.writeInt16BE(epoch, 51)
  batch.writeInt32BE(sequence, 53)
  batch.writeInt32BE(last - first, 57)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

/** The records behind room for the header. */
function records({ bytes, ends, keys, absent }: Packed, first: number, last: number): { readonly buffer: Buffer; readonly end: number } {
  const start = first === 0 ? 0 : ends[first - 1]!
  // A key has at most three bytes for each of its characters.
  let room = headerSize + ends[last - 1]! - start + (last - first) * recordOverhead
  if (keys) for (let i = first; i < last; i++) room += 3 * keys[i]!.length
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const buffer = Buffer.allocUnsafeSlow(room)
  let at = headerSize
  let from = start
  for (let i = first; i < last; i++) {
    const to = ends[i]!
    const delta = i - first
    const key = keys?.[i]
    const keySize = key === undefined ? -1 : Buffer.byteLength(key)
    const valueSize = absent?.[i] ? -1 : to - from
    const size = 3 + varintSize(delta) + varintSize(keySize) + Math.max(keySize, 0) + varintSize(valueSize) + Math.max(valueSize, 0)
    at = writeVarint(buffer, at, size)
    // Attributes, and a timestamp equal to that of the whole batch.
    buffer[at++] = 0
    buffer[at++] = 0
    at = writeVarint(buffer, at, delta)
    at = writeVarint(buffer, at, keySize)
    if (keySize > 0) at += buffer.write(key!, at)
    at = writeVarint(buffer, at, valueSize)
    if (valueSize > 0) at += source.copy(buffer, at, from, to)
    buffer[at++] = 0
    from = to
  }
  return { buffer, end: at }
}

const varintSize = (value: number): number => {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x200000 ? 3 : zigzag < 0x10000000 ? 4 : 5
}

function writeVarint(buffer: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  while (rest >= 0x80) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[at++] = rest
  return at
}

const int16 = (value: number) => {
  const buffer = Buffer.allocUnsafe(2)
  buffer.writeInt16BE(value)
  return buffer
}
const int32 = (value: number) => {
  const buffer = Buffer.allocUnsafe(4)
  buffer.writeInt32BE(value)
  return buffer
}
const string = (text: string) => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])
