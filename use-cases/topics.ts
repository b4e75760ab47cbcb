/** What the log holds, and how a topic is made and set. */
import type { Log, TopicState } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'

export type TopicPartition = Awaited<ReturnType<typeof listTopics>>[number]

/** Partition by partition; `messages` is null where offsets are not messages, and `bytes` are known of a topic as a whole. */
export async function listTopics(log: Log) {
  return (await log.topics()).flatMap(({ topic, partitions, bytes }) =>
    partitions.map(({ first, next }, partition) => ({
      topic,
      partition,
      first,
      next,
      messages: log.gapless ? next - first : null,
      bytes: partition === 0 ? bytes : null,
    })),
  )
}

/** `made` is false where it was there already. */
export async function createTopic(log: Log, topic: string, partitions: number) {
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(topic)) {
    throw new Problem(`${topic} is not a name for a topic`, 'Use letters, digits, dots, dashes and underscores.', { usage: true })
  }
  const there = (await log.partitions(topic)) > 0
  await log.create(topic, partitions)
  return { topic, partitions, made: !there }
}

export async function findTopic(log: Log, name: string): Promise<TopicState> {
  const topics = await log.topics()
  const found = topics.find(({ topic }) => topic === name)
  if (found) return found
  const there = topics.length > 0 && `There are ${topics.map(({ topic }) => topic).join(', ')}.`
  throw new Problem(`there is no topic ${name}`, there || 'None is made yet: apply, produce and ingest make the ones they need.')
}

/** Those of the topic, or the one that is asked for, each with its number. */
export function partitionsOf({ topic, partitions }: TopicState, one: number | undefined) {
  if (one !== undefined && one >= partitions.length) {
    const todo = partitions.length === 1 ? 'It has one, number 0.' : `It has ${partitions.length}, numbered from 0.`
    throw new Problem(`${topic} has no partition ${one}`, todo, { usage: true })
  }
  return partitions.map((ends, partition) => ({ partition, ...ends })).filter(({ partition }) => one === undefined || partition === one)
}
