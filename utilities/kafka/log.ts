/** The log in Kafka: topics are its topics, a writer is a transactional id, a commit is a transaction. */
import { connect, type ConnectOptions } from './connect.ts'
import type { Compression } from './wire/compression.ts'
import type { KafkaParts, TopicSettings } from './parts.ts'
import { readTopic } from './reader.ts'
import { openCheckpointTopic, type CheckpointTopics } from './saves.ts'
import { shareTopic } from './group/share.ts'
import { topicId } from './wire/topic-id.ts'
import { countPartitions, ensureTopic, isOfStream, largestMessage, listTopics, sizeLimits, truncateTopic } from './topics.ts'
import { openWriter } from './writer.ts'
import type { Log } from '../log.ts'

export type KafkaLogOptions = ConnectOptions & {
  readonly topicPrefix?: string
  readonly compression?: Compression
  /** By topic, under Kafka's own names: for topics that are made here. They are kept for ever unless this says otherwise. */
  readonly topicSettings?: { readonly [topic: string]: TopicSettings }
  /** Of the topic of checkpoints, when it is made here. */
  readonly checkpointPartitions?: number
  readonly transactionTimeoutMs?: number
  /** After how long a member of a group that says nothing is taken for dead. */
  readonly sessionTimeoutMs?: number
}

export interface KafkaLog extends Log {
  /** Settings count when the topic is made. */
  create(topic: string, partitions: number, settings?: TopicSettings): Promise<void>
  /** For the checkpoints, which lie in a topic of their own. */
  readonly kafka: KafkaParts & { readonly checkpointTopic: CheckpointTopics }
}

/** Nothing goes by itself: inflow is history, and what the sink has not read yet, or nobody looked at, would be lost. */
const forEver: TopicSettings = { 'retention.ms': '-1', 'retention.bytes': '-1' }

export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const { topicPrefix: prefix = '', sessionTimeoutMs = 10_000, note = () => {} } = options
  const { cluster, requestTimeoutMs, staying } = await connect(options)
  const parts: KafkaParts = {
    cluster,
    prefix,
    compression: options.compression ?? 'none',
    sizeLimit: sizeLimits(cluster),
    transactionTimeoutMs: options.transactionTimeoutMs ?? 30_000,
    requestTimeoutMs,
    checkpointPartitions: options.checkpointPartitions ?? 4,
    topicSettings: options.topicSettings ?? {},
    note: (text) => note(text, 'warning'),
  }
  const checkpointTopic = eachOnce((name) => openCheckpointTopic(parts, name))
  return {
    async create(topic, partitions, settings = {}) {
      if (!Number.isSafeInteger(partitions) || partitions < 1) throw new RangeError(`topic ${topic}: ${partitions} partitions`)
      const kept = isOfStream(topic) ? forEver : {}
      await ensureTopic(parts, prefix + topic, partitions, { settings: { ...kept, ...parts.topicSettings[topic], ...settings } })
    },
    topics: () => listTopics(parts),
    partitions: (topic) => countPartitions(parts, prefix + topic),
    topicId: (topic) => topicId(parts, prefix + topic),
    largestMessage: (topic) => largestMessage(parts, topic),
    read(topic, reading) {
      const read = () => readTopic(parts, prefix + topic, reading)
      return reading.follow ? staying(reading.signal, read) : read()
    },
    writer: (name) => openWriter(parts, checkpointTopic, name),
    truncate: (topic, partition, before) => truncateTopic(parts, prefix + topic, partition, before),
    share: (topic, group, signal) => shareTopic(parts, { topic: prefix + topic, group: prefix + group, sessionTimeoutMs }, signal),
    kafka: { ...parts, checkpointTopic },
    async close() {
      cluster.close()
    },
  }
}

/** Done at the first call for a name, and again after a failure. */
function eachOnce<T>(work: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const done = new Map<string, Promise<T>>()
  return (name) => {
    const begun =
      done.get(name) ??
      work(name).catch((error: unknown) => {
        done.delete(name)
        throw error
      })
    done.set(name, begun)
    return begun
  }
}
