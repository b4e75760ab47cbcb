/**
 * How checkpoints lie in Kafka: one compacted topic, a message for each entry, keyed by its name and its key, without a value where it was
 * removed.
 */
import type { Save } from '../checkpoints.ts'
import type { KafkaParts } from './parts.ts'
import type { Packed } from './wire/produce.ts'
import { checkpointTopicName, ensureTopic } from './topics.ts'

export type CheckpointTopic = { readonly topic: string; readonly partitions: number }

/** Readers that come back after a while must still find what was removed: see the index of the checkpoints. */
const removalsStayMs = 7 * 24 * 3600 * 1000

export async function openCheckpointTopic(parts: KafkaParts): Promise<CheckpointTopic> {
  const topic = parts.prefix + checkpointTopicName
  const settings = {
    ...parts.topicSettings[checkpointTopicName],
    'cleanup.policy': 'compact',
    'delete.retention.ms': String(removalsStayMs),
  }
  return { topic, partitions: await ensureTopic(parts, topic, parts.checkpointPartitions, { settings, exactly: false }) }
}

/** For readers, who make nothing: undefined when nobody has saved anything yet. */
export async function findCheckpointTopic({ cluster, prefix }: KafkaParts): Promise<CheckpointTopic | undefined> {
  const topic = prefix + checkpointTopicName
  const partitions = await cluster.patiently(() => cluster.partitionsOf(topic))
  return partitions === 0 ? undefined : { topic, partitions }
}

/** What belongs to partition P of a topic ends in /P, and lies together with what else belongs to it. */
export function partitionOfName(name: string, partitions: number): number {
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
