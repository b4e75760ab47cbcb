/** Stores in Kafka for tests: each under a prefix of its own, and gone, or at least let go of, when the test ends. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka } from 'kafkajs'
import { onTestFinished } from 'vitest'
import type { Checkpoints } from '../../utilities/checkpoint/checkpoint.ts'
import { openKafkaCheckpoints } from '../../utilities/checkpoint/kafka-checkpoints.ts'
import { openKafkaLog, type KafkaLog, type KafkaLogOptions } from '../../utilities/log/kafka-log.ts'
import { sendAll } from '../../utilities/log/kafka-send.ts'
import { addPartitions, endTransaction, takeIdentity } from '../../utilities/log/kafka-transaction.ts'
import type { Batch } from '../../utilities/log/log.ts'

let stores = 0

export function storeOn(brokers: readonly string[], options: Partial<KafkaLogOptions> = {}) {
  const topicPrefix = `t${++stores}.`
  const opened: KafkaLog[] = []
  const log = async () => {
    const one = await openKafkaLog({ brokers, topicPrefix, checkpointPartitions: 2, ...options })
    opened.push(one)
    return one
  }
  return {
    topicPrefix,
    log,
    checkpoints: async () => openKafkaCheckpoints(await log()),
    drop: (topic: string) => dropTopic(brokers, topicPrefix + topic),
    dispose: async () => void (await Promise.all(opened.map((one) => one.close()))),
  }
}

/** As somebody else deletes it; done when no broker knows it any more. */
export async function dropTopic(brokers: readonly string[], topic: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: 0 }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  while ((await admin.listTopics()).includes(topic)) await sleep(10)
  await admin.disconnect()
}

/** A log of its own with these topics, closed when the test ends. */
export async function logOn(brokers: readonly string[], topics: Readonly<Record<string, number>>, options: Partial<KafkaLogOptions>) {
  const store = storeOn(brokers, options)
  onTestFinished(store.dispose)
  const log = await store.log()
  for (const [topic, partitions] of Object.entries(topics)) await log.create(topic, partitions)
  return { ...store, log }
}

/** A transaction of its own making, left open. */
export async function openTransaction({ kafka: parts }: KafkaLog, name: string, work: { readonly topic: string; readonly partition: number; readonly messages: Batch }) {
  const identity = await takeIdentity(parts, name)
  await addPartitions(parts, identity, [work])
  await sendAll(parts, identity, new Map(), [{ ...work, first: 0, last: work.messages.ends.length }])
  return { end: (outcome: 'commit' | 'abort') => endTransaction(parts, identity, outcome) }
}

export const bytes = (text: string) => new TextEncoder().encode(text)

export async function entry(checkpoints: Checkpoints, name: string, key = ''): Promise<string | undefined> {
  const value = (await checkpoints.load(name)).get(key)
  return value && new TextDecoder().decode(value)
}
