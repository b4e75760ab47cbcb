/**
 * How checkpoints lie in Kafka: a compacted topic, and another one for the rows of tables; a message for each entry, keyed by its name and
 * its key, without a value where it was removed.
 */
import { tablePrefix, type Save } from '../checkpoints.ts'
import { partitionOf } from '../values/partition.ts'
import type { KafkaParts } from './parts.ts'
import type { Packed } from './wire/produce.ts'
import { checkpointTopicName, ensureTopic, tableTopicName } from './topics.ts'

/** Makes the topic of that name, if it is missing. */
export type CheckpointTopics = (name: string) => Promise<CheckpointTopic>

export type CheckpointTopic = { readonly topic: string; readonly partitions: number }

/** Readers that come back after a while must still find what was removed: see the index of the checkpoints. */
const removalsStayMs = 7 * 24 * 3600 * 1000

const isOfTable = (name: string) => name.startsWith(tablePrefix)

/** Rows of tables lie in a topic of their own, which nobody reads but for them. */
export const topicOf = (name: string): string => (isOfTable(name) ? tableTopicName : checkpointTopicName)

export async function openCheckpointTopic(parts: KafkaParts, name: string): Promise<CheckpointTopic> {
  const topic = parts.prefix + name
  const settings = {
    ...parts.topicSettings[name],
    'cleanup.policy': 'compact',
    'delete.retention.ms': String(removalsStayMs),
  }
  return { topic, partitions: await ensureTopic(parts, topic, parts.checkpointPartitions, { settings, exactly: false }) }
}

/** For readers, who make nothing: undefined when nobody has saved anything yet. */
export async function findCheckpointTopic({ cluster, prefix }: KafkaParts, name: string): Promise<CheckpointTopic | undefined> {
  const topic = prefix + name
  const partitions = await cluster.patiently(() => cluster.partitionsOf(topic))
  return partitions === 0 ? undefined : { topic, partitions }
}

/** What belongs to partition P of a topic ends in /P, and lies together with what else belongs to it. The rows of a table lie together. */
export function partitionOfName(name: string, partitions: number): number {
  if (isOfTable(name)) return partitionOf(name, partitions)
  const [, number] = /\/(\d{1,9})$/.exec(name) ?? []
  return number === undefined ? 0 : Number(number) % partitions
}

const keyOf = ({ name, key }: Pick<Save, 'name' | 'key'>): string => `${name}\0${key}`

export function nameAndKey(messageKey: string): { readonly name: string; readonly key: string } {
  const at = messageKey.indexOf('\0')
  return { name: messageKey.slice(0, at), key: messageKey.slice(at + 1) }
}

export function packSaves(saves: readonly Save[]): Packed {
  let end = 0
  const ends = Uint32Array.from(saves, ({ value }) => (end += value?.length ?? 0))
  const bytes = new Uint8Array(end)
  saves.forEach(({ value }, i) => value && bytes.set(value, i === 0 ? 0 : ends[i - 1]!))
  return { bytes, ends, keys: saves.map(keyOf), absent: Uint8Array.from(saves, ({ value }) => (value === null ? 1 : 0)) }
}
