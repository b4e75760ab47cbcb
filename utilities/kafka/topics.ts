/**
 * Topics in Kafka: making them, or checking those that exist; where they begin and end; how large they are; deleting their oldest records.
 */
import { Problem } from '../values/problem.ts'
import type { Cluster } from './client/cluster.ts'
import type { KafkaParts, SizeLimits, TopicSettings } from './parts.ts'
import { check, code, Refusal } from './client/trouble.ts'
import { topicSizes } from './wire/sizes.ts'
import type { Ends } from '../feed.ts'
import type { TopicState } from '../log.ts'

export const checkpointTopicName = 'tidemark.checkpoints'
/** Of entries that nobody keeps in memory. */
export const tableTopicName = 'tidemark.tables'

/** The topics of records, rows and dead letters. */
export const isOfStream = (topic: string): boolean => /^(inflow|outflow)(\.|$)/.test(topic)

/** Messages beside the record batches we send, which stay below a megabyte: a single one may be larger. */
const made: TopicSettings = { 'cleanup.policy': 'delete', 'max.message.bytes': String(8 * 1024 * 1024) }

/** Unless `exactly` is false, in which case a topic with another number of partitions is used as it is. */
export type Ensuring = { readonly settings: TopicSettings; readonly exactly?: boolean }

/** Returns the number of partitions. */
export async function ensureTopic(
  parts: KafkaParts,
  topic: string,
  partitions: number,
  { settings, exactly = true }: Ensuring,
): Promise<number> {
  const { cluster } = parts
  const wanted = { ...made, ...settings }
  cluster.forget(topic)
  let found = await cluster.patiently(() => cluster.partitionsOf(topic))
  if (found === 0) {
    await makeTopic(cluster, topic, partitions, wanted)
    found = await cluster.patiently(() => ledPartitions(cluster, topic))
  }
  if (exactly && found !== partitions) {
    const todo =
      found < partitions
        ? `Give it more: ${script('topics', cluster)} --alter --topic ${topic} --partitions ${partitions} (records that are there ` +
          'stay where they are), or choose another topicPrefix.'
        : 'Partitions cannot be taken away: use it as it is, or choose another topicPrefix.'
    throw new Problem(`topic ${topic} has ${counted(found)}, not ${partitions}`, todo)
  }
  const actual = await topicConfig(cluster, topic)
  const differs = (name: string) => {
    const is = actual?.get(name)
    return is !== undefined && wanted[name] !== undefined && is !== wanted[name]
      ? { is, mend: alter(cluster, topic, name, wanted[name]) }
      : undefined
  }
  const policy = differs('cleanup.policy')
  if (policy)
    throw new Problem(
      `topic ${topic} has cleanup.policy=${policy.is}, not ${wanted['cleanup.policy']}`,
      `Set it: ${policy.mend}, or choose another topicPrefix.`,
    )
  for (const [name, unit] of [
    ['retention.ms', 'ms'],
    ['retention.bytes', 'bytes'],
  ] as const) {
    const kept = wanted[name] === '-1' ? differs(name) : undefined
    if (kept)
      parts.note(
        `topic ${topic} keeps only ${kept.is} ${unit} of records (${name}), and what is deleted there cannot be replayed. ` +
          `To keep all: ${kept.mend}`,
      )
  }
  return found
}

/** Kafka's own tools, as a person would call them. */
const script = (tool: string, { place }: Cluster) => `kafka-${tool}.sh --bootstrap-server ${place.replaceAll(' ', '')}`
export const alter = (cluster: Cluster, topic: string, name: string, value: string) =>
  `${script('configs', cluster)} --alter --topic ${topic} --add-config ${name}=${value}`

async function makeTopic(cluster: Cluster, topic: string, partitions: number, settings: TopicSettings): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await cluster.patiently(async () => {
    const { brokers, controllerId } = await cluster.metadata(['__none__'])
    const controller = brokers.find(({ nodeId }) => nodeId === controllerId)
    if (!controller) throw new Refusal(code.leaderNotAvailable, 'the controller')
    const request = { topics: [{ topic, numPartitions: partitions, replicationFactor: -1, configEntries }], timeout: 10_000 }
    const { errorCode, errorMessage } = (await cluster.at(controller, (link) => link.ask('CreateTopics', request))).topicErrors[0]!
    // Somebody else made it at the same moment; it is looked at like one that was there before.
    if (errorCode !== code.topicExists) check(errorCode, `topic ${topic}${errorMessage ? ` (${errorMessage})` : ''}`)
  })
}

/** How many partitions, once each of them has a leader. */
async function ledPartitions(cluster: Cluster, topic: string): Promise<number> {
  const count = await cluster.partitionsOf(topic)
  if (count === 0) throw new Refusal(code.leaderNotAvailable, `topic ${topic}`)
  for (let partition = 0; partition < count; partition++) await cluster.leaderOf(topic, partition)
  return count
}

const settingsLookedAt = ['cleanup.policy', 'retention.ms', 'retention.bytes', 'max.message.bytes'] as const

/** undefined when this user may not see it. */
export async function topicConfig(cluster: Cluster, topic: string): Promise<ReadonlyMap<string, string | null> | undefined> {
  const request = { resources: [{ type: 2, name: topic, configNames: [...settingsLookedAt] }] }
  return cluster.patiently(async () => {
    const { errorCode, configEntries } = (await cluster.any((link) => link.ask('DescribeConfigs', request))).resources[0]!
    if (errorCode === code.topicRefused || errorCode === code.clusterRefused) return undefined
    check(errorCode, `topic ${topic}`)
    return new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]))
  })
}

/** Each topic is asked about once. */
export function sizeLimits(cluster: Cluster): SizeLimits {
  const known = new Map<string, number>()
  return async (topic) => {
    // Kafka's default where this user may not see the settings.
    const limit = known.get(topic) ?? Number((await topicConfig(cluster, topic))?.get('max.message.bytes') ?? 1_000_000)
    known.set(topic, limit)
    return limit
  }
}

/** What a batch needs around its messages, and a message around key and value, at most. */
export const [aroundBatch, aroundMessage] = [61, 23]

export async function largestMessage({ cluster, sizeLimit, compression, prefix }: KafkaParts, topic: string): Promise<number> {
  // One that is gone is said to be so, instead of being waited for.
  await cluster.patiently(() => cluster.leaderOf(prefix + topic, 0))
  const limit = await sizeLimit(prefix + topic)
  // What cannot be made smaller gets a little larger.
  return Math.floor(compression === 'none' ? limit : limit - limit / 1000 - 100) - aroundBatch - aroundMessage
}

/** As the brokers have it now, whatever was known before. */
export async function countPartitions({ cluster }: KafkaParts, topic: string): Promise<number> {
  const { topicErrorCode, partitionMetadata } = (await cluster.patiently(() => cluster.metadata([topic]))).topicMetadata[0]!
  return topicErrorCode === code.unknownTopic ? cluster.patiently(() => cluster.partitionsOf(topic)) : partitionMetadata.length
}

export async function listTopics(parts: KafkaParts): Promise<TopicState[]> {
  const { cluster, prefix } = parts
  const { topicMetadata } = await cluster.patiently(() => cluster.metadata([]))
  const ours = topicMetadata
    .filter(
      ({ topic, isInternal }) =>
        !isInternal && topic.startsWith(prefix) && ![checkpointTopicName, tableTopicName].includes(topic.slice(prefix.length)),
    )
    .map(({ topic, partitionMetadata }) => ({ topic, count: partitionMetadata.length }))
    .sort((a, b) => (a.topic < b.topic ? -1 : 1))
  const sizes = await topicSizes(parts, ours)
  const states: TopicState[] = []
  for (const { topic, count } of ours) {
    const partitions = await endsOf(
      parts,
      topic,
      Array.from({ length: count }, (_, partition) => partition),
    )
    states.push({ topic: topic.slice(prefix.length), partitions, bytes: sizes.get(topic) ?? 0 })
  }
  return states
}

const earliest = -2
const latest = -1

/** The end is that of what is committed, unless it is asked for otherwise. */
export async function endsOf(
  { cluster }: Pick<KafkaParts, 'cluster'>,
  topic: string,
  partitions: readonly number[],
  { uncommitted = false } = {},
): Promise<Ends[]> {
  return cluster.patiently(async () => {
    const leaders = await Promise.all(
      partitions.map(async (partition) => ({ partition, leader: await cluster.leaderOf(topic, partition) })),
    )
    const found = new Map<number, Ends>()
    for (const ones of Map.groupBy(leaders, ({ leader }) => `${leader.host}:${leader.port}`).values()) {
      await cluster.at(ones[0]!.leader, async (link) => {
        const offsets = async (timestamp: number) => {
          const request = {
            replicaId: -1,
            isolationLevel: uncommitted ? 0 : 1,
            topics: [{ topic, partitions: ones.map(({ partition }) => ({ partition, timestamp })) }],
          }
          const answers = (await link.ask('ListOffsets', request)).responses[0]!.partitions
          for (const { partition, errorCode } of answers) check(errorCode, `topic ${topic}, partition ${partition}`)
          return new Map(answers.map(({ partition, offset }) => [partition, Number(offset)]))
        }
        const [first, next] = [await offsets(earliest), await offsets(latest)]
        for (const { partition } of ones) found.set(partition, { first: first.get(partition)!, next: next.get(partition)! })
      })
    }
    return partitions.map((partition) => found.get(partition)!)
  })
}

export async function truncateTopic({ cluster }: KafkaParts, topic: string, partition: number, before: number): Promise<void> {
  const request = { topics: [{ topic, partitions: [{ partition, offset: String(before) }] }], timeout: 30_000 }
  await cluster.patiently(async () => {
    const { errorCode } = (await cluster.leader(topic, partition, (link) => link.ask('DeleteRecords', request))).topics[0]!.partitions[0]!
    if (errorCode === code.offsetOutOfRange)
      throw new Problem(`topic ${topic}, partition ${partition} ends before ${before}`, 'Delete up to its end at most.')
    check(errorCode, `topic ${topic}, partition ${partition}`)
  })
}

const counted = (partitions: number) => `${partitions} partition${partitions === 1 ? '' : 's'}`
