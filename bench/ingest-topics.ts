/** Topics of others for the benchmark of `ingest`, filled by the project's own writer. */
import { partitionOf } from '../utilities/values/partition.ts'
import { openKafkaLog } from '../utilities/kafka/log.ts'
import type { Batch } from '../utilities/log.ts'
import { payment } from './foreign-messages.ts'
import type { Sent } from './ingest-shop.ts'

/** In one commit: what a connector would have in a poll or two. */
const messagesAtOnce = 10_000

export const eventTopic = 'payments'
export const eventPartitions = 4

/** Each topic has so many partitions, and a message goes where its key says. */
export async function fillTopics(
  brokers: readonly string[],
  topics: { readonly [topic: string]: number },
  messages: Iterable<Sent>,
): Promise<void> {
  const log = await openKafkaLog({ brokers })
  try {
    for (const [topic, partitions] of Object.entries(topics)) await log.create(topic, partitions)
    const writer = await log.writer('filled')
    let waiting: Sent[] = []
    const send = async () => {
      const places = Map.groupBy(waiting, ({ topic, key }) => `${topic}/${topics[topic] === 1 ? 0 : partitionOf(key, topics[topic]!)}`)
      const append = [...places].map(([place, own]) => {
        return { topic: own[0]!.topic, partition: Number(place.split('/')[1]), batch: batchOf(own) }
      })
      await writer.commit({ append })
      waiting = []
    }
    for (const message of messages) {
      waiting.push(message)
      if (waiting.length >= messagesAtOnce) await send()
    }
    await send()
    await writer.close()
  } finally {
    await log.close()
  }
}

function batchOf(messages: readonly Sent[]): Batch {
  const values = messages.map(({ value }) => Buffer.from(value))
  let end = 0
  const ends = Uint32Array.from(values, ({ length }) => (end += length))
  return { bytes: Buffer.concat(values), ends, keys: messages.map(({ key }) => key) }
}

/** Of some 115 bytes, with five fields. */
export function* payments(count: number): Iterable<Sent> {
  for (let i = 0; i < count; i++) {
    const one = payment(i)
    yield { topic: eventTopic, key: one.account_id, value: JSON.stringify(one) }
  }
}
