/** Looks at topics of others: whether they are there, whether their messages can be read, and what their connectors lack. */
import { loadPlace } from '../ingest/place.ts'
import type { Fields } from '../schemas/record.ts'
import type { Changes } from '../schemas/foreign/changes.ts'
import type { ForeignSchemas } from '../schemas/foreign/schemas.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Feed, Messages } from '../utilities/feed.ts'
import type { Found, Look } from '../utilities/values/look.ts'
import { connectorIn, foundIn, type Sample } from './doctor-samples.ts'

/** A source as the config has it; without fields where no feature set needs it. */
export type TopicToLookAt = {
  readonly name: string
  readonly topic: string
  readonly isOfDatabase: boolean
  readonly transactions: string | undefined
  readonly decimals: boolean
  readonly needed: { readonly fields: Fields; readonly decode: (messages: Messages) => Promise<Changes> } | undefined
  /** Where its config names a registry. */
  readonly registry: { readonly url: string; readonly schemas: ForeignSchemas } | undefined
}

type Ports = {
  readonly feed: Feed
  /** undefined where the store is not complete. */
  readonly checkpoints: Checkpoints | undefined
  readonly signal: AbortSignal
}

/** Messages of a partition. */
const most = 20

export function looksAtTopics({ feed, checkpoints, signal }: Ports, sources: readonly TopicToLookAt[]): readonly Look[] {
  const connectors = new Set<string>()
  let hasChanges = false
  const place = async () => (checkpoints ? Object.values((await loadPlace(checkpoints)).sources).map(({ connector }) => connector) : [])
  const topicLook = ({ name, topic, isOfDatabase, transactions, decimals, needed }: TopicToLookAt) =>
    look(`topic of ${name}`, async () => {
      const ends = await feed.ends(topic)
      if (ends.length === 0) return notThere(name, topic, isOfDatabase && hasSent([...(await place()), ...connectors], topic))
      if (!needed) return { found: `${topic} is there, and no feature set needs it` }
      const samples: Sample[] = []
      for (const [partition, { first, next }] of ends.entries()) {
        const messages = await lastOf(feed, topic, { partition, from: Math.max(first, next - most), to: next, signal })
        for (const one of messages) samples.push({ messages: one, changes: await needed.decode(one) })
      }
      const connector = connectorIn(samples)
      if (connector !== undefined) connectors.add(connector)
      hasChanges ||= samples.some(({ changes }) => changes.origins.some((one) => one && one.op !== 'r'))
      const asked = { source: name, fields: needed.fields, isOfDatabase, transactions: transactions !== undefined, decimals }
      const { found, todo } = foundIn(samples, asked)
      const partitions = `${topic} has ${ends.length} ${ends.length === 1 ? 'partition' : 'partitions'}`
      return { found: `${partitions}; ${found}`, ...(todo !== undefined && { todo }) }
    })
  const transactionLook = (topic: string) =>
    look(`transactions in ${topic}`, async () => {
      const { length } = await feed.ends(topic)
      if (length === 1) return { found: 'it is there, with one partition' }
      if (length > 1)
        return {
          found: `it has ${length} partitions`,
          todo: 'Make it anew with one: in which order transactions ended is known in one only.',
        }
      if (!hasChanges) return { found: 'it is not there: no transaction has ended yet' }
      return { found: 'it is not there, and changes have come', todo: 'Set provide.transaction.metadata=true in the connector.' }
    })
  const heartbeats = look('heartbeats', async () => {
    const lacking: string[] = []
    for (const connector of connectors) if ((await feed.ends(`__debezium-heartbeat.${connector}`)).length === 0) lacking.push(connector)
    if (connectors.size === 0) return { found: 'no connector of a database was seen' }
    if (lacking.length === 0) return { found: `${[...connectors].join(', ')}: sent` }
    return {
      found:
        `${lacking.join(', ')} sends none: while only other tables change, PostgreSQL keeps its log (WAL) for the connector, without end; ` +
        'heartbeat.interval.ms lets it go on',
    }
  })
  const registries = new Map(sources.flatMap(({ registry }) => (registry ? [[registry.url, registry.schemas] as const] : [])))
  return [
    { ...look('Kafka of the topics', () => reached(feed, sources[0]!.topic)), needed: true },
    ...[...registries].map(([url, schemas]) =>
      look(`schema registry ${url}`, async () => {
        await schemas.find('1')
        return { found: 'it answers' }
      }),
    ),
    ...sources.map(topicLook),
    ...new Set(sources.flatMap(({ transactions }) => transactions ?? [])).values().map(transactionLook),
    ...(sources.some(({ isOfDatabase }) => isOfDatabase) ? [heartbeats] : []),
  ]
}

const look = (name: string, see: () => Promise<Found>): Look => ({ name, needed: false, look: see })

async function reached(feed: Feed, topic: string): Promise<Found> {
  await feed.ends(topic)
  return { found: 'it answers' }
}

/** A connector makes the topic of a table with its first row. */
const hasSent = (connectors: readonly (string | null)[], topic: string): boolean =>
  connectors.some((connector) => connector !== null && topic.startsWith(`${connector}.`))

const notThere = (name: string, topic: string, isSilent: boolean): Found =>
  isSilent
    ? { found: `there is no ${topic} yet: its connector has sent other tables, and no row of this one` }
    : { found: `there is no topic ${topic}`, todo: `Correct sources.${name}.topic in the config, or let whoever writes it begin.` }

type Last = { readonly partition: number; readonly from: number; readonly to: number; readonly signal: AbortSignal }

/** What a partition holds from there to its end. */
async function lastOf(feed: Feed, topic: string, { partition, from, to, signal }: Last): Promise<readonly Messages[]> {
  const found: Messages[] = []
  if (from >= to) return found
  for await (const messages of feed.read(topic, { partition, from, signal })) {
    if (messages.count > 0) found.push(messages)
    if (messages.next >= to || messages.count === 0) break
  }
  return found
}
