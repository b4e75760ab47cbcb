/** Our own encoding of the two hot requests against kafkajs's, byte for byte and message for message; no broker is needed. */
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c, slicingCrc32c } from '../../utilities/kafka/wire/crc.ts'
import { fetchCodec, type Fetch } from '../../utilities/kafka/wire/fetch.ts'
import { partitionOf } from '../../utilities/values/partition.ts'
import { produceCodec, recordBatch, type Packed } from '../../utilities/kafka/wire/produce.ts'
import { code, Refusal, worthSayingAfterMs } from '../../utilities/kafka/client/trouble.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { stockFetch, stockProduce } from './stock-codecs.ts'
import { answerWith, compression, int16, int32, int64, logOf, stored, string, text, value, what } from './stored-batches.ts'

const require = createRequire(import.meta.url)
const kafkajs = {
  crc32c: require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number,
  partitioner: (
    require('kafkajs') as { readonly Partitioners: { readonly DefaultPartitioner: () => (args: object) => number } }
  ).Partitioners.DefaultPartitioner(),
}

const joined = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString('hex')

const producerId = fc.bigInt({ min: 0n, max: 2n ** 40n })

/** A batch may be part of larger arrays; every third of its messages may be a removal. */
const packed = fc
  .record({ values: fc.array(value, { minLength: 1, maxLength: 200 }), keyed: fc.boolean(), removing: fc.boolean(), key: text })
  .map(({ values, keyed, removing, key }): Packed => {
    const kept = values.map((bytes, i) => (removing && i % 3 === 0 ? new Uint8Array() : bytes))
    let end = 0
    return {
      bytes: Uint8Array.from(Buffer.concat([Buffer.from('...'), ...kept])).subarray(3),
      ends: Uint32Array.from(kept, ({ length }) => (end += length)),
      ...(keyed && { keys: values.map((_, i) => (i % 5 === 0 ? '' : `${key}${i}`)) }),
      ...(removing && { absent: Uint8Array.from(values, (_, i) => (i % 3 === 0 ? 1 : 0)) }),
    }
  })

describe('a Produce request', () => {
  it('has the bytes that kafkajs gives it, whatever the messages, keys, partitions and compression', async () => {
    const set = fc.record({
      topic: fc.constantFrom('a', 'bé'),
      partition: fc.nat(3),
      messages: packed,
      cut: fc.nat(),
      sequence: fc.nat(2 ** 31 - 1),
      timestampMs: fc.integer({ min: 1, max: 2 ** 42 }),
    })
    const sets = fc.uniqueArray(set, { minLength: 1, maxLength: 4, selector: ({ topic, partition }) => `${topic}${partition}` })
    const producer = fc.record({ transactionalId: text.filter((id) => id !== ''), id: producerId, epoch: fc.nat(32_767), compression })
    await fc.assert(
      fc.asyncProperty(producer, sets, async (producer, sets) => {
        const parcels = sets.map(({ topic, partition, messages, cut, sequence, timestampMs }) => {
          const first = cut % messages.ends.length
          return { topic, partition, part: { messages, first, last: messages.ends.length, sequence, timestampMs } }
        })
        expect(joined(await produceCodec.request(producer, 30_000, parcels))).toBe(
          joined(await stockProduce.request(producer, 30_000, parcels)),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('has an answer that is read as kafkajs reads it', async () => {
    const answer = fc.record({
      topic: text,
      partition: fc.nat(9),
      errorCode: fc.constantFrom(0, 6, 45, -1),
      offset: fc.bigInt({ min: -1n, max: 2n ** 50n }),
    })
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(answer, { selector: ({ topic, partition }) => `${partition} ${topic}` }), async (answers) => {
        const topics = [...Map.groupBy(answers, ({ topic }) => topic)]
        const body = Buffer.concat([
          int32(topics.length),
          ...topics.flatMap(([topic, ones]) => [
            string(topic),
            int32(ones.length),
            ...ones.map(({ partition, errorCode, offset }) =>
              Buffer.concat([int32(partition), int16(errorCode), int64(offset), int64(-1n), int64(0n)]),
            ),
          ]),
          int32(0),
        ])
        const read = produceCodec.answer(body)
        expect(read).toEqual(await stockProduce.answer(body))
        expect(read).toEqual(topics.flatMap(([, ones]) => ones.map((one) => ({ ...one, offset: Number(one.offset) }))))
      }),
    )
  })
})

/** As plain values; the spans of batches that a compaction left empty are kept by ours alone. */
const plain = ({ messages: { bytes, ends, keys, absent }, offsets, spans, ...rest }: Fetch) => ({
  ...rest,
  values: [...ends].map((end, i) => Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end)).toString('hex')),
  keys: keys && [...keys],
  absent: absent && [...absent],
  offsets: [...offsets],
  spans: spans.filter(({ first, last, marker }) => marker !== undefined || first < last),
})

describe('a Fetch request', () => {
  it('has the bytes that kafkajs gives it', async () => {
    const details = fc.record({
      topic: text,
      partition: fc.nat(),
      from: fc.nat({ max: 2 ** 50 }),
      committed: fc.boolean(),
      maxBytes: fc.nat(),
      waitMs: fc.nat(5000),
    })
    await fc.assert(
      fc.asyncProperty(details, async (details) => {
        expect(joined(fetchCodec.request(details))).toBe(joined(await stockFetch.request(details)))
      }),
    )
  })

  it('has an answer whose messages are those that kafkajs reads: compacted, aborted, compressed, cut off, from any offset on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stored, { maxLength: 12 }),
        fc.nat(2 ** 40),
        fc.boolean(),
        fc.nat(10_000),
        fc.nat(200),
        async (batches, start, behind, part, missing) => {
          const { data, end, aborted, offsets } = await logOf(batches, start)
          // Anywhere at all, or right behind some message.
          const from = behind && offsets.length > 0 ? offsets[part % offsets.length]! + 1 : start + (part % (end - start + 1))
          const answer = () => answerWith(data.subarray(0, Math.max(0, data.length - missing)), end, aborted)
          // Each gets a copy: ours moves messages inside it.
          expect(plain(await fetchCodec.answer(answer(), what(from)))).toEqual(plain(await stockFetch.answer(answer(), what(from))))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('drops what was aborted and the marks of transactions, and goes on behind them', async () => {
    const record = (value: string) => [{ gap: 0, later: 0, key: null, value: Buffer.from(value), headers: {} }]
    const { data, end, aborted } = await logOf(
      [
        { producer: 1n, transactional: true, compression: 'none', records: record('kept') },
        { producer: 2n, transactional: true, compression: 'none', records: record('aborted'), end: 'abort' },
        { producer: 1n, transactional: true, compression: 'none', records: record('kept too'), end: 'commit' },
        { producer: 2n, transactional: true, compression: 'none', records: record('later'), end: 'commit' },
        { producer: 2n, transactional: true, compression: 'none', records: record('aborted too'), end: 'abort' },
      ],
      0,
    )
    const fetched = await fetchCodec.answer(answerWith(data, end, aborted), what(0))
    expect(plain(fetched)).toMatchObject({
      values: ['kept', 'kept too', 'later'].map((one) => Buffer.from(one).toString('hex')),
      offsets: [0, 3, 5],
      next: 9,
    })
  })

  it('has no messages when the broker refuses, and says why', async () => {
    expect(await fetchCodec.answer(answerWith(Buffer.alloc(0), -1, null, 1), what(7))).toMatchObject({ errorCode: 1, next: 7 })
  })

  const damagedBy = async (change: (data: Buffer) => void): Promise<Promise<unknown>> => {
    const { data, end } = await logOf(
      [
        {
          producer: 1n,
          transactional: false,
          compression: 'none',
          records: [{ gap: 0, later: 0, key: null, value: Buffer.from('text'), headers: {} }],
        },
      ],
      0,
    )
    change(data)
    return fetchCodec.answer(answerWith(data, end, null), what(0))
  }
  const withCodec = (codec: number) => (data: Buffer) => {
    data.writeInt16BE(codec, 21)
    data.writeUInt32BE(crc32c(data.subarray(21)), 17)
  }

  it.each([
    ['what is no gzip, although it says so', withCodec(1), /cannot be undone/],
    ['what is no snappy', withCodec(2), /cannot be undone/],
    ['what is no lz4', withCodec(3), /cannot be undone \(lz4: it is no frame\)/],
    ['a compression of the future', withCodec(5), /codec 5, which nobody knew/],
    ['an old format', (data: Buffer) => void data.writeInt8(1, 16), /format from before Kafka 0.11/],
    ['a wrong bit', (data: Buffer) => void (data[70]! ^= 1), /from offset 0 on arrived damaged/],
  ])('is a Problem when it holds %s', async (_, change, message) => {
    const failing = damagedBy(change)
    await expect(failing).rejects.toThrow(Problem)
    await expect(failing).rejects.toThrow(message)
  })
})

describe('what is computed without kafkajs', () => {
  it.each([
    ['as it is used', crc32c],
    ['without the optional package', slicingCrc32c],
  ])('CRC-32C, %s, equals its definition and kafkajs, for any length', (_, crc) => {
    expect(crc(Buffer.from('123456789'))).toBe(0xe3069283)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), (bytes, skipped) => {
        expect(crc(bytes.subarray(skipped))).toBe(kafkajs.crc32c(Buffer.from(bytes.subarray(skipped))))
      }),
    )
  })

  it('a key belongs to the partition that kafkajs sends it to', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.integer({ min: 1, max: 50 }), (key, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 1 }))
        expect(partitionOf(key, partitions)).toBe(kafkajs.partitioner({ topic: 'topic', partitionMetadata, message: { key } }))
      }),
    )
  })

  it('a record batch names its number of records, its producer and its place in the sequence', async () => {
    const messages = { bytes: Buffer.from('abc'), ends: Uint32Array.of(1, 2, 3) }
    const batch = await recordBatch(
      { messages, first: 1, last: 3, sequence: 77, timestampMs: 1 },
      { transactionalId: 'w', id: 5n, epoch: 6, compression: 'none' },
    )
    expect([batch.readInt32BE(57), batch.readBigInt64BE(43), batch.readInt16BE(51), batch.readInt32BE(53)]).toEqual([2, 5n, 6, 77])
  })
})

describe('what a person hears of', () => {
  it('is that brokers are not ready, and not that the first transaction of a name takes a new broker a while', () => {
    expect(worthSayingAfterMs(new Refusal(code.leaderNotAvailable, 'topic inflow'))).toBe(1000)
    expect(worthSayingAfterMs(new Refusal(code.concurrentTransactions, 'the writer produce/inflow'))).toBeGreaterThan(10_000)
  })
})
