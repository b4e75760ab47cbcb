/** `ingest`: what others send becomes records and rows of tables, and the facts that are made from them follow. */
import { ingest, type IngestNews, type IngestPorts, type Passed } from '../ingest/ingest.ts'
import { neededTables } from '../ingest/needed.ts'
import { loadPlace } from '../ingest/place.ts'
import { noTotals } from '../ingest/sources.ts'
import type { TopicSource, TransactionTopic } from '../ingest/topic-source.ts'
import type { Needs } from '../ingest/turn.ts'
import type { NeededRecord } from '../ingest/records.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { samePer, type Per } from '../feature-defs/keys.ts'
import { isFact } from '../schemas/fact.ts'
import { withComputed } from '../schemas/foreign/computed.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSchemas } from '../schemas/foreign/schemas.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { transactionDecoder } from '../schemas/foreign/transactions.ts'
import { sourceRecord, type Table } from '../schemas/record.ts'
import { allReleased } from '../streams/known-versions.ts'
import { claimRegistry } from '../streams/store.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { eventsNeeded, factsNeeded, retiredIn } from './facts-needed.ts'
import { waitsFor } from './told-sources.ts'

/** What the config says of a topic. */
type TopicAsked = Omit<ForeignSource, 'name' | 'fields' | 'key'> & {
  readonly topic: string
  readonly transactions?: string | undefined
  readonly snapshot?: 'none' | undefined
  readonly isFleeting?: boolean
}

export type IngestAsked = {
  readonly definitions: readonly Definition[]
  readonly defined: readonly Table[]
  /** By the name of the table or record. */
  readonly topics: { readonly [name: string]: TopicAsked }
  readonly schemasOf: (name: string) => ForeignSchemas | undefined
  readonly partitions: (of: { readonly name: string }) => number
  readonly holdMs: number
  readonly acceptGap: readonly string[]
  readonly acceptSnapshot: readonly string[]
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly report: (news: IngestNews) => void
  readonly note: (text: string) => void
  readonly passed: (passed: Passed) => void
}

type Ports = IngestPorts & { readonly warehouse: Warehouse }

const holdMessages = 100_000

/** What became of the messages of a source in this run, and what it waits for. */
export type SourceDone = {
  readonly source: string
  readonly topic: string
  readonly messages: number
  readonly duplicates: number
  readonly dead: number
  readonly waits: string | null
}

export async function ingestTopics(ports: Ports, asked: IngestAsked): Promise<readonly SourceDone[]> {
  await claimRegistry(ports)
  const needs = await needsOf(ports, asked)
  const sources = sourcesOf(needs, asked)
  if (sources.length === 0) throw noTopics()
  const before = await loadPlace(ports.checkpoints)
  const place = await ingest(ports, {
    ...asked,
    holdMessages,
    needs: () => needsOf(ports, asked),
    topics(now) {
      const all = sourcesOf(now, asked)
      return { sources: all, transactions: transactionsOf(all, asked) }
    },
  })
  return sources.map(({ name, topic, of }) => {
    const [then, now] = [before.sources[name]?.totals ?? noTotals, place.sources[name]?.totals ?? noTotals]
    return {
      source: name,
      topic,
      messages: now.messages - then.messages,
      duplicates: now.duplicates - then.duplicates,
      dead: now.dead - then.dead,
      waits: waitsFor(place.sources[name], name, 'table' in of),
    }
  })
}

/** As the definitions and the released versions have it now. */
async function needsOf(ports: Ports, { definitions, defined, topics }: IngestAsked): Promise<Needs> {
  const facts = await factsNeeded(ports, definitions)
  const isRetired = await retiredIn(ports)
  const released = await allReleased(ports.registry)
  const first = definitions.filter(({ set, version }) => version === 0 && !released.some((one) => one.set === set))
  const live = [...first, ...released].filter((one) => !one.batchOnly && !isFact(one.record) && !isRetired(one))
  const records = Object.keys(topics).flatMap((name): readonly NeededRecord[] => {
    const over = live.filter(({ record }) => record.name === name)
    if (over.length === 0) return []
    // The newest that the code has is the widest.
    const record = definitions.findLast((one) => one.record.name === name && !one.batchOnly)?.record ?? over.at(-1)!.record
    return [{ record, pers: eachOnce(over.map(({ per }) => per)) }]
  })
  const events = await eventsNeeded(ports, definitions)
  return { facts, tables: neededTables([...facts, ...events], defined), records, events }
}

const eachOnce = (pers: readonly Per[]): readonly Per[] => pers.filter((per, i) => pers.findIndex((one) => samePer(one, per)) === i)

function sourcesOf({ tables, records, events }: Needs, { topics, schemasOf }: IngestAsked): readonly TopicSource[] {
  return Object.entries(topics).flatMap(([name, asked]): readonly TopicSource[] => {
    const table = tables.find((one) => one.name === name)
    // Whoever joins it may need fewer fields than sets over it have.
    const wanted = [...records.map((one) => one.record), ...events.map(({ event }) => event.event.of)].filter((one) => one.name === name)
    const record = wanted.toSorted((a, b) => Object.keys(b.fields).length - Object.keys(a.fields).length)[0]
    if (!table && !record) return []
    return [sourceOf(name, asked, table ? { table } : { record: record! }, schemasOf(name))]
  })
}

/** A table or a record that comes from a topic, with what reads its messages. */
export function sourceOf(name: string, asked: TopicAsked, of: TopicSource['of'], schemas: ForeignSchemas | undefined): TopicSource {
  const { topic, transactions, snapshot, isFleeting = false, ...written } = asked
  const { fields } = 'table' in of ? of.table : sourceRecord(of.record)
  const key = 'table' in of ? of.table.key : null
  const decode = foreignDecoder({ ...written, name, fields, key }, schemas)
  return {
    name,
    topic,
    of,
    decode: 'table' in of ? decode : withComputed(of.record, decode),
    isOfDatabase: asked.format === 'debezium',
    noSnapshot: snapshot === 'none',
    isFleeting,
    transactions,
  }
}

/** Each once; those that share one have their transactions in common. */
function transactionsOf(sources: readonly TopicSource[], { topics, schemasOf }: IngestAsked): readonly TransactionTopic[] {
  const named = sources.flatMap(({ name, transactions }) => (transactions === undefined ? [] : [[transactions, name] as const]))
  return [...new Map(named)].map(([topic, name]) => {
    const { format, framing } = topics[name]!
    return { topic, decode: transactionDecoder({ name: topic, fields: {}, key: null, format, framing }, schemasOf(name)) }
  })
}

const noTopics = () =>
  new Problem(
    'nothing that the definitions need comes from a topic',
    'Name one: "sources": { "NAME": { "topic": …, "format": … } } in the config, by the name of a table or record.',
  )
