/** Record batches as a log holds them, by chance: compacted, compressed, of transactions that were committed, aborted or are open. */
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { codecs, type Compression } from '../../utilities/kafka/wire/compression.ts'

const require = createRequire(import.meta.url)
type Encoded = { readonly buffer: Buffer }
const kafkajs = {
  crc32c: require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number,
  record: require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => Encoded,
  recordBatch: (require('kafkajs/src/protocol/recordBatch/v0') as { readonly RecordBatch: (batch: object) => Promise<Encoded> })
    .RecordBatch,
}

export const text = fc.string({ unit: 'grapheme', maxLength: 12 })
/** Long ones too: lengths take one byte, two, or three. */
export const value = fc.oneof(
  fc.uint8Array({ maxLength: 90 }),
  fc.integer({ min: 60, max: 20_000 }).map((length) => new Uint8Array(length).fill(length)),
)
export const compression = fc.constantFrom<Compression>('none', 'gzip', 'zstd')

/** A batch in a log: some of its records may be gone by compaction, some have headers, some times of their own. */
type Stored = {
  readonly producer: bigint
  readonly transactional: boolean
  readonly compression: Compression
  /** The broker's time stands for all. */
  readonly appendTime?: boolean
  readonly end?: 'commit' | 'abort'
  readonly records: readonly StoredRecord[]
}
type StoredRecord = {
  readonly gap: number
  readonly later: number
  readonly key: string | null
  readonly value: Uint8Array | null
  readonly headers: { readonly [name: string]: string | readonly string[] }
}

export const stored: fc.Arbitrary<Stored> = fc
  .record({
    producer: fc.constantFrom(1n, 2n, 3_000_000_000n),
    transactional: fc.boolean(),
    compression,
    appendTime: fc.boolean(),
    end: fc.constantFrom(undefined, undefined, 'commit' as const, 'abort' as const),
    records: fc.array(
      fc.record({
        gap: fc.oneof(fc.constant(0), fc.nat(300)),
        later: fc.nat(100_000),
        key: fc.option(text),
        value: fc.option(value),
        headers: fc.oneof(fc.constant({}), fc.constant({ trace: 'é'.repeat(70) })),
      }),
      { maxLength: 30 },
    ),
  })
  .map(({ end, ...rest }) => ({ ...rest, ...(end && { end }) }))

export async function logOf(
  batches: readonly Stored[],
  start: number,
): Promise<{
  readonly data: Buffer
  readonly end: number
  readonly aborted: { readonly producer: bigint; readonly from: number }[]
  readonly offsets: readonly number[]
}> {
  const parts: Buffer[] = []
  const open = new Map<bigint, number>()
  const aborted: { readonly producer: bigint; readonly from: number }[] = []
  const offsets: number[] = []
  let offset = start
  const add = (encoded: Encoded, base: number, change: (batch: Buffer) => unknown = () => {}) => {
    const batch = Buffer.from(encoded.buffer)
    batch.writeBigInt64BE(BigInt(base), 0)
    change(batch)
    batch.writeUInt32BE(kafkajs.crc32c(batch.subarray(21)), 17)
    parts.push(batch)
  }
  for (const { producer, transactional, compression, appendTime, end, records } of batches) {
    let delta = -1
    const encoded = records.map(({ gap, later, ...record }) =>
      kafkajs.record({
        ...record,
        value: record.value && Buffer.from(record.value),
        offsetDelta: (delta += 1 + gap),
        timestampDelta: later,
      }),
    )
    const base = offset
    const last = Math.max(delta, 0)
    for (let i = 0, at = base - 1; i < records.length; i++) offsets.push((at += 1 + records[i]!.gap))
    if (transactional && !open.has(producer)) open.set(producer, base)
    add(
      await kafkajs.recordBatch({
        compression: codecs[compression],
        records: encoded,
        firstTimestamp: 5,
        maxTimestamp: 9,
        producerId: String(producer),
        firstSequence: 0,
        transactional,
        lastOffsetDelta: last,
      }),
      base,
      (batch) => appendTime && batch.writeInt16BE(batch.readInt16BE(21) | 8, 21),
    )
    offset += last + 1
    if (end && open.has(producer)) {
      const key = Buffer.from([0, 0, 0, end === 'commit' ? 1 : 0])
      const marker = await kafkajs.recordBatch({
        records: [kafkajs.record({ key, value: Buffer.alloc(6) })],
        producerId: String(producer),
        transactional: true,
      })
      add(marker, offset++, (batch) => batch.writeInt16BE(batch.readInt16BE(21) | 0x20, 21))
      if (end === 'abort') aborted.push({ producer, from: open.get(producer)! })
      open.delete(producer)
    }
  }
  return { data: Buffer.concat(parts), end: offset, aborted, offsets }
}

export const int16 = (number: number) => Buffer.from(Int16Array.of(number).buffer).swap16()
export const int32 = (number: number) => Buffer.from(Int32Array.of(number).buffer).swap32()
export const int64 = (number: bigint) => Buffer.from(BigInt64Array.of(number).buffer).swap64()
export const string = (text: string) => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])

export const answerWith = (
  data: Buffer,
  end: number,
  aborted: readonly { readonly producer: bigint; readonly from: number }[] | null,
  errorCode = 0,
) =>
  Buffer.concat([
    int32(0),
    int16(0),
    int32(0),
    int32(1),
    string('topic'),
    int32(1),
    int32(0),
    int16(errorCode),
    int64(BigInt(end)),
    int64(BigInt(end)),
    int64(0n),
    int32(aborted?.length ?? -1),
    ...(aborted ?? []).flatMap(({ producer, from }) => [int64(producer), int64(BigInt(from))]),
    int32(-1),
    int32(data.length),
    data,
  ])

export const what = (from: number) => ({ topic: 'topic', partition: 0, from, committed: true, maxBytes: 1, waitMs: 0 })
