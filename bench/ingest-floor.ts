/**
 * What reading alone takes: the same topics to their ends, by the feed that `ingest` reads, and nothing done with them; or only decoded.
 */
import { invoices, accounts, lines, skus } from '../examples/invoices/definitions.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { openKafkaFeed } from '../utilities/kafka/feed.ts'
import { event } from './foreign-messages.ts'
import { topicOf } from './ingest-shop.ts'
import { eventTopic } from './ingest-topics.ts'

const sources: { readonly [topic: string]: ForeignSource } = {
  [eventTopic]: { ...event, key: null, format: 'json' },
  ...Object.fromEntries(
    [accounts, skus, invoices, lines].map((one) => [topicOf(one.name as 'lines'), { ...one, format: 'debezium' as const }]),
  ),
}

/** Brokers, `read` or `decode`, and topics. */
const [brokers, what, ...topics] = process.argv.slice(2)
const feed = await openKafkaFeed({ brokers: brokers!.split(',') })
const stop = new AbortController()
let messages = 0
const readToEnd = async (topic: string, partition: number) => {
  const decode = sources[topic] && what === 'decode' ? foreignDecoder(sources[topic], undefined) : undefined
  for await (const some of feed.read(topic, { partition, from: 0, signal: stop.signal })) {
    messages += some.count
    await decode?.(some)
    if (some.next >= some.end) return
  }
}
const beganMs = performance.now()
const partitions = await Promise.all(topics.map(async (topic) => ({ topic, count: (await feed.ends(topic)).length })))
await Promise.all(partitions.flatMap(({ topic, count }) => Array.from({ length: count }, (_, partition) => readToEnd(topic, partition))))
const seconds = (performance.now() - beganMs) / 1000
stop.abort()
await feed.close()
process.stdout.write(JSON.stringify({ messages, seconds }))
