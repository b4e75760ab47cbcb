/** Topics of the run: made, watched from outside, read whole, deleted. */
import { Kafka, logLevel } from 'kafkajs'
import { openKafkaLog } from '../../utilities/kafka/log.ts'
import { endsOf } from '../../utilities/kafka/topics.ts'
import type { Batch } from '../../utilities/log.ts'

export type Topics = {
  create(name: string): Promise<void>
  remove(names: readonly string[]): Promise<void>
  /** The offset up to which everything is decided: what a reader of committed messages sees. */
  end(name: string): Promise<number>
  /** Committed messages only. */
  read(name: string): AsyncIterable<Batch>
  /** Another topic with the same messages, each without the bytes in front. */
  copy(from: string, to: string, bytesInFront: number): Promise<void>
  close(): Promise<void>
}

const partitions = [0]

export async function openTopics(brokers: readonly string[]): Promise<Topics> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
  const log = await openKafkaLog({ brokers })
  await admin.connect()
  const topics: Topics = {
    async create(name) {
      await admin.createTopics({ topics: [{ topic: name, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: true })
    },
    async remove(names) {
      const there = new Set(await admin.listTopics())
      await admin.deleteTopics({ topics: names.filter((name) => there.has(name)) })
    },
    end: async (name) => (await endsOf(log.kafka, name, partitions))[0]!.next,
    async *read(name) {
      for await (const { batch } of log.read(name, { partition: 0, from: 0, joined: true })) yield batch
    },
    async copy(from, to, bytesInFront) {
      await topics.create(to)
      const writer = await log.writer(`copy/${to}`)
      for await (const batch of topics.read(from))
        await writer.commit({ append: [{ topic: to, partition: 0, batch: without(batch, bytesInFront) }] })
      await writer.close()
    },
    async close() {
      await Promise.all([admin.disconnect(), log.close()])
    },
  }
  return topics
}

function without({ bytes, ends }: Batch, bytesInFront: number): Batch {
  const cut = new Uint8Array(bytes.length - ends.length * bytesInFront)
  const cutEnds = new Uint32Array(ends.length)
  let at = 0
  ends.forEach((end, i) => {
    const message = bytes.subarray((ends[i - 1] ?? 0) + bytesInFront, end)
    cut.set(message, at)
    cutEnds[i] = at += message.length
  })
  return { bytes: cut, ends: cutEnds }
}
