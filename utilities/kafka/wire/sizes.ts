/** How many bytes topics take on the disks of the brokers: a request that kafkajs does not have. */
import { UnknownToBroker } from '../client/client.ts'
import type { KafkaParts } from '../parts.ts'
import { isRefusal, Refusal, code } from '../client/trouble.ts'

type Topic = { readonly topic: string; readonly count: number }

const describeLogDirs = { name: 'DescribeLogDirs', key: 35, version: 1 }

/** Of one copy of each, without those that this user may not see. */
export async function topicSizes({ cluster }: KafkaParts, topics: readonly Topic[]): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  if (topics.length === 0) return sizes
  // Every broker knows its own copies; they differ by what is on its way.
  const largest = new Map<string, { readonly topic: string; readonly size: number }>()
  try {
    await cluster.patiently(async () => {
      for (const broker of (await cluster.metadata(['__none__'])).brokers) {
        for (const { topic, partition, size } of answer(
          await cluster.at(broker, (link) => link.exchange(describeLogDirs, [request(topics)])),
        )) {
          const key = `${topic} ${partition}`
          if (size >= (largest.get(key)?.size ?? 0)) largest.set(key, { topic, size })
        }
      }
    })
  } catch (error) {
    const { cause } = error as Error
    // Managed clusters may not have this request at all.
    if (!(cause instanceof UnknownToBroker) && !isRefusal(cause, code.clusterRefused, code.topicRefused)) throw error
  }
  for (const { topic, size } of largest.values()) sizes.set(topic, (sizes.get(topic) ?? 0) + size)
  return sizes
}

function request(topics: readonly Topic[]): Buffer {
  const parts = topics.map(({ topic, count }) => {
    const name = Buffer.from(topic)
    const part = Buffer.alloc(2 + name.length + 4 + 4 * count)
    part.writeInt16BE(name.length, 0)
    name.copy(part, 2)
    part.writeInt32BE(count, 2 + name.length)
    for (let partition = 0; partition < count; partition++) part.writeInt32BE(partition, 6 + name.length + 4 * partition)
    return part
  })
  const head = Buffer.alloc(4)
  head.writeInt32BE(topics.length, 0)
  return Buffer.concat([head, ...parts])
}

function answer(payload: Buffer): { readonly topic: string; readonly partition: number; readonly size: number }[] {
  const found: { readonly topic: string; readonly partition: number; readonly size: number }[] = []
  let at = 8
  const text = () => {
    const end = at + 2 + payload.readInt16BE(at)
    const value = payload.toString('utf8', at + 2, end)
    at = end
    return value
  }
  const number = () => payload.readInt32BE((at += 4) - 4)
  for (let directories = payload.readInt32BE(4); directories > 0; directories--) {
    const errorCode = payload.readInt16BE(at)
    at += 2
    if (errorCode !== 0) throw new Refusal(errorCode, 'the sizes of topics')
    text()
    for (let topics = number(); topics > 0; topics--) {
      const topic = text()
      for (let partitions = number(); partitions > 0; partitions--) {
        const partition = number()
        found.push({ topic, partition, size: Number(payload.readBigInt64BE(at)) })
        at += 17
      }
    }
  }
  return found
}
