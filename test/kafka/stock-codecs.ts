/** Produce and Fetch as kafkajs encodes and decodes them itself: the plain twin of our own. */
import { createRequire } from 'node:module'
import { codecs, compress, decompress } from '../../utilities/kafka/wire/compression.ts'
import { fetchApi, partitionIn, type Fetch, type FetchFrom, type Span } from '../../utilities/kafka/wire/fetch.ts'
import {
  produceApi,
  type Packed,
  type BatchSlice,
  type Produced,
  type Producer,
  type RecordSet,
} from '../../utilities/kafka/wire/produce.ts'

const require = createRequire(import.meta.url)
const { CompressionCodecs } = require('kafkajs') as { readonly CompressionCodecs: { [codec: number]: unknown } }
type Protocol = {
  readonly request: { encode(): Promise<{ readonly buffer: Buffer }> }
  readonly response: { decode(payload: Buffer): Promise<unknown> }
}
const { requests } = require('kafkajs/src/protocol/requests') as {
  readonly requests: { readonly [name: string]: { protocol(options: { readonly version: number }): (details: object) => Protocol } }
}

// kafkajs has no zstd of its own.
CompressionCodecs[codecs.zstd] = () => ({
  compress: ({ buffer }: { readonly buffer: Buffer }) => compress(buffer, 'zstd'),
  decompress: (buffer: Buffer) => decompress(buffer, codecs.zstd),
})

const protocol = ({ name, version }: { readonly name: string; readonly version: number }, details: object) =>
  requests[name]!.protocol({ version })(details)

type ProduceAnswer = { readonly topics: readonly { readonly topicName: string; readonly partitions: readonly Taken[] }[] }
type Taken = { readonly partition: number; readonly errorCode: number; readonly baseOffset: string }

export const stockProduce = {
  async request(
    { transactionalId, id, epoch, compression }: Producer,
    timeout: number,
    sets: readonly RecordSet[],
  ): Promise<readonly Uint8Array[]> {
    const byTopic = Map.groupBy(sets, ({ topic }) => topic)
    const topicData = [...byTopic].map(([topic, ones]) => ({
      topic,
      partitions: ones.map(({ partition, part }) => ({ partition, firstSequence: part.sequence, messages: messagesOf(part) })),
    }))
    const details = {
      acks: -1,
      timeout,
      transactionalId,
      producerId: String(id),
      producerEpoch: epoch,
      compression: codecs[compression],
      topicData,
    }
    return [(await protocol(produceApi, details).request.encode()).buffer]
  },

  async answer(payload: Buffer): Promise<readonly Produced[]> {
    const { topics } = (await protocol(produceApi, {}).response.decode(payload)) as ProduceAnswer
    return topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode, baseOffset }) => ({ topic: topicName, partition, errorCode, offset: Number(baseOffset) })),
    )
  },
}

const messagesOf = ({ messages: { bytes, ends, keys, absent }, first, last, timestampMs: timestamp }: BatchSlice) =>
  Array.from(ends.subarray(first, last), (end, i) => ({
    key: keys ? Buffer.from(keys[first + i]!) : null,
    value: absent?.[first + i] ? null : Buffer.from(bytes.subarray(first + i === 0 ? 0 : ends[first + i - 1]!, end)),
    timestamp,
  }))

type StockMessage = {
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: string
  readonly headers: { readonly [name: string]: Buffer | readonly Buffer[] }
  readonly batchContext: {
    readonly firstOffset: string
    readonly lastOffsetDelta: number
    readonly producerId: string
    readonly inTransaction: boolean
    readonly isControlBatch: boolean
  }
}
type FetchAnswer = { readonly responses: readonly { readonly partitions: readonly { readonly messages: readonly StockMessage[] }[] }[] }

export const stockFetch = {
  async request({ topic, partition, from, committed, maxBytes, waitMs }: FetchFrom): Promise<readonly Uint8Array[]> {
    const partitions = [{ partition, fetchOffset: String(from), maxBytes }]
    const details = {
      replicaId: -1,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: committed ? 1 : 0,
      topics: [{ topic, partitions }],
    }
    return [(await protocol(fetchApi, details).request.encode()).buffer]
  },

  async answer(payload: Buffer, what: FetchFrom): Promise<Fetch> {
    const { kept, ...rest } = await keptIn(payload, what)
    return { ...rest, messages: packed(kept), offsets: Float64Array.from(kept, ({ offset }) => Number(offset)) }
  },
}

/** The messages of an answer that are to be seen, as kafkajs has them. */
export async function keptIn(payload: Buffer, { from }: FetchFrom) {
  const { errorCode, highWatermark, lastStable, aborted, data } = partitionIn(payload)
  // Of a first batch that is cut off within its header, kafkajs would read what is not there.
  const { responses } = data.length < 61 ? { responses: [] } : ((await protocol(fetchApi, {}).response.decode(payload)) as FetchAnswer)
  const waiting = [...aborted].sort((a, b) => a.from - b.from)
  const dropped = new Set<number>()
  const kept: StockMessage[] = []
  const spans: Span[] = []
  for (const batch of Map.groupBy(responses[0]?.partitions[0]?.messages ?? [], ({ batchContext }) => batchContext.firstOffset).values()) {
    const { firstOffset, lastOffsetDelta, producerId, inTransaction, isControlBatch } = batch[0]!.batchContext
    const producer = Number(producerId)
    while (waiting.length > 0 && waiting[0]!.from <= Number(firstOffset) + lastOffsetDelta) dropped.add(waiting.shift()!.producer)
    const first = kept.length
    if (isControlBatch) {
      const marker = batch[0]!.key!.readInt16BE(2) === 1 ? 'commit' : 'abort'
      if (marker === 'abort') dropped.delete(producer)
      spans.push({ producer, first, last: first, marker })
    } else if (Number(firstOffset) + lastOffsetDelta >= from && !(inTransaction && dropped.has(producer))) {
      kept.push(...batch.filter(({ offset }) => Number(offset) >= from))
      spans.push({ producer, first, last: kept.length })
    }
  }
  return { errorCode, highWatermark, lastStable, next: endOf(data, from), kept, spans }
}

/** kafkajs says nothing of batches that a compaction left empty: without them a reader would stand still. */
function endOf(data: Buffer, from: number): number {
  let next = from
  for (let at = 0; at + 61 <= data.length && at + 12 + data.readInt32BE(at + 8) <= data.length; at += 12 + data.readInt32BE(at + 8)) {
    next = Math.max(next, Number(data.readBigInt64BE(at)) + data.readInt32BE(at + 23) + 1)
  }
  return next
}

function packed(messages: readonly StockMessage[]): Packed {
  let end = 0
  const ends = Uint32Array.from(messages, ({ value }) => (end += value?.length ?? 0))
  return {
    bytes: Uint8Array.from(Buffer.concat(messages.map(({ value }) => value ?? Buffer.alloc(0)))),
    ends,
    ...(messages.some(({ key }) => key) && { keys: messages.map(({ key }) => key?.toString() ?? '') }),
    ...(messages.some(({ value }) => value === null) && { absent: Uint8Array.from(messages, ({ value }) => (value === null ? 1 : 0)) }),
  }
}
