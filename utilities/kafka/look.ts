/** A look at Kafka, for the doctor: whether it answers, and whether its topics are as Tidemark needs them. */
import type { Found, Look } from '../values/look.ts'
import type { KafkaLog } from './log.ts'
import { alter, isOfStream, topicConfig } from './topics.ts'

export function lookAtKafka(open: () => Promise<KafkaLog>): { readonly looks: readonly Look[]; readonly close: () => Promise<void> } {
  let log: KafkaLog | undefined
  return {
    looks: [
      {
        name: 'Kafka',
        needed: true,
        look: async () => {
          log = await open()
          const { brokers } = await log.kafka.cluster.metadata(['__none__'])
          return {
            found:
              `${brokers.length} ${brokers.length === 1 ? 'broker' : 'brokers'}: ` +
              `${brokers.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
          }
        },
      },
      { name: 'Kafka topics', needed: false, look: () => topics(log!) },
    ],
    close: async () => log?.close(),
  }
}

async function topics(log: KafkaLog): Promise<Found> {
  const there = (await log.topics()).filter(({ topic }) => isOfStream(topic))
  if (there.length === 0) return { found: 'none yet: apply, produce and ingest make them' }
  const found = there.map(({ topic, partitions }) => `${topic} (${partitions.length})`).join(', ')
  for (const { topic: inflow, partitions } of there.filter(({ topic }) => topic.startsWith('inflow'))) {
    const outflow = there.find(({ topic }) => topic === inflow.replace('inflow', 'outflow'))
    if (outflow && outflow.partitions.length !== partitions.length) {
      const { topic } = outflow
      const mend = `choose another topicPrefix, or make ${topic} anew while it is empty.`
      return { found, todo: `${topic} must have as many partitions as ${inflow}: ${mend}` }
    }
  }
  const { cluster, prefix } = log.kafka
  for (const { topic } of there) {
    const { partitionMetadata } = (await cluster.patiently(() => cluster.metadata([prefix + topic]))).topicMetadata[0]!
    const behind = partitionMetadata
      .flatMap(({ partitionId, replicas, isr }) => (isr.length < replicas.length ? [partitionId] : []))
      .sort((a, b) => a - b)
    if (behind.length > 0)
      return {
        found: `${topic}: partition ${behind.join(', ')} has fewer copies up to date than it should`,
        todo: 'Look at the brokers: a copy is missing or cannot keep up.',
      }
    const settings = await topicConfig(cluster, prefix + topic)
    const forgets = settings && forgetting(settings)
    if (forgets) {
      const { what, setting, better } = forgets
      const mend = alter(cluster, prefix + topic, setting, better)
      return {
        found: `${topic} ${what} (${setting}=${settings.get(setting)})`,
        todo: `What is deleted cannot be replayed. Set it: ${mend}`,
      }
    }
  }
  return { found: `${found}, kept for ever` }
}

type Forgetting = { readonly what: string; readonly setting: string; readonly better: string }

/** The setting by which records go. */
function forgetting(settings: ReadonlyMap<string, string | null>): Forgetting | undefined {
  if (settings.get('cleanup.policy')?.includes('compact')) {
    return { what: 'keeps only the newest record of each key', setting: 'cleanup.policy', better: 'delete' }
  }
  const limits = [
    { what: 'keeps its records for a time only', setting: 'retention.ms', better: '-1' },
    { what: 'keeps its newest bytes only', setting: 'retention.bytes', better: '-1' },
  ]
  return limits.find(({ setting }) => (settings.get(setting) ?? '-1') !== '-1')
}
