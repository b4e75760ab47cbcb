/** What Kafka itself knows of a topic: its settings, where its partitions lie, and who reads it in groups that keep their place with Kafka. */
import type { KafkaParts } from './kafka-parts.ts'
import { topicConfig } from './kafka-topics.ts'
import { check, code } from './kafka-trouble.ts'
import type { GroupState, LogServer, TopicDetails } from './log.ts'

/** Topics are named without the prefix, groups as Kafka knows them. */
export const kafkaServer = (parts: KafkaParts): LogServer => ({
  describe: (topic) => describeTopic(parts, parts.prefix + topic),
  groups: (topic) => groupsOn(parts, parts.prefix + topic),
})

async function describeTopic({ cluster }: KafkaParts, topic: string): Promise<TopicDetails> {
  await cluster.patiently(() => cluster.leaderOf(topic, 0))
  const { brokers, topicMetadata } = await cluster.patiently(() => cluster.metadata([topic]))
  const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]))
  const partitions = topicMetadata[0]!.partitionMetadata.toSorted((a, b) => a.partitionId - b.partitionId)
  const settings = [...((await topicConfig(cluster, topic)) ?? [])].flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  return {
    settings: Object.fromEntries(settings),
    partitions: partitions.map(({ leader, replicas, isr }) => ({ leader: addresses.get(leader) ?? null, copies: replicas.length, inSync: isr.length })),
  }
}

async function groupsOn({ cluster }: KafkaParts, topic: string): Promise<GroupState[]> {
  const partitions = Array.from({ length: await cluster.patiently(() => cluster.partitionsOf(topic)) }, (_, partition) => partition)
  const names = await cluster.patiently(async () => {
    // Each broker knows the groups that it looks after.
    const { brokers } = await cluster.metadata(['__none__'])
    const lists = await Promise.all(brokers.map((broker) => cluster.at(broker, (link) => link.ask('ListGroups', {}))))
    for (const { errorCode } of lists) if (errorCode !== code.clusterRefused) check(errorCode, 'the list of groups')
    return [...new Set(lists.flatMap(({ groups }) => groups.map(({ groupId }) => groupId)))].sort()
  })
  const found: GroupState[] = []
  for (const group of names) {
    const offsets = await offsetsOf({ cluster }, group, { topic, partitions })
    if (offsets.some((offset) => offset !== null)) found.push({ group, members: await membersOf({ cluster }, group), offsets })
  }
  return found
}

type Coordinated = Pick<KafkaParts, 'cluster'>

/** None of a group that this user may not see. */
function offsetsOf({ cluster }: Coordinated, group: string, { topic, partitions }: { readonly topic: string; readonly partitions: readonly number[] }): Promise<(number | null)[]> {
  return cluster.patiently(async () => {
    const request = { groupId: group, topics: [{ topic, partitions: partitions.map((partition) => ({ partition })) }] }
    const { errorCode = 0, responses } = await cluster.coordinator('group', group, (link) => link.ask('OffsetFetch', request))
    if (errorCode === code.groupRefused) return []
    check(errorCode, `group ${group}`)
    const byPartition = new Map((responses[0]?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]))
    return partitions.map((partition) => ((byPartition.get(partition) ?? -1) < 0 ? null : byPartition.get(partition)!))
  })
}

function membersOf({ cluster }: Coordinated, group: string): Promise<number> {
  return cluster.patiently(async () => {
    const { errorCode, members } = (await cluster.coordinator('group', group, (link) => link.ask('DescribeGroups', { groupIds: [group] }))).groups[0]!
    if (errorCode === code.groupRefused) return 0
    check(errorCode, `group ${group}`)
    return members.length
  })
}
