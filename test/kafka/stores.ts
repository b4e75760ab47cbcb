/** Stores in Kafka for tests: each under a prefix of its own, and gone, or at least let go of, when the test ends. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigResourceTypes, Kafka, type Admin } from 'kafkajs'
import { onTestFinished } from 'vitest'
import type { Checkpoints } from '../../utilities/checkpoints.ts'
import { openKafkaCheckpoints } from '../../utilities/kafka/checkpoints.ts'
import { openKafkaLog, type KafkaLog, type KafkaLogOptions } from '../../utilities/kafka/log.ts'
import { sendAll } from '../../utilities/kafka/send.ts'
import { addPartitions, endTransaction, takeIdentity } from '../../utilities/kafka/transaction.ts'
import type { Batch, Log } from '../../utilities/log.ts'
import { textsOf } from '../contracts/messages.ts'

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
export const dropTopic = (brokers: readonly string[], topic: string) =>
  asAdmin(brokers, async (admin) => {
    await admin.deleteTopics({ topics: [topic] })
    while ((await admin.listTopics()).includes(topic)) await sleep(10)
  })

/** The settings of a topic as the broker has them. */
export const settingsOf = (brokers: readonly string[], name: string) =>
  asAdmin(brokers, async (admin) => {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name }] })
    return Object.fromEntries(resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]))
  })

export async function asAdmin<T>(brokers: readonly string[], work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: 0 }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
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
export async function openTransaction(
  { kafka: parts }: KafkaLog,
  name: string,
  work: { readonly topic: string; readonly partition: number; readonly messages: Batch },
) {
  const identity = await takeIdentity(parts, name)
  await addPartitions(parts, identity, [work])
  await sendAll(parts, identity, new Map(), [{ ...work, first: 0, last: work.messages.ends.length }])
  return { end: (outcome: 'commit' | 'abort') => endTransaction(parts, identity, outcome) }
}

/** Reads on until it is stopped; what it has read so far. */
export function followInflow(log: Log) {
  const followed: string[] = []
  const stop = new AbortController()
  const following = (async () => {
    for await (const { batch } of log.read('inflow', { partition: 0, from: 0, follow: true, signal: stop.signal }))
      followed.push(...textsOf(batch))
  })()
  return { followed, stop, following }
}

export const bytes = (text: string) => new TextEncoder().encode(text)

export async function entry(checkpoints: Checkpoints, name: string, key = ''): Promise<string | undefined> {
  const value = (await checkpoints.load(name)).get(key)
  return value && new TextDecoder().decode(value)
}
