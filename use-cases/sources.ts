/** What comes from topics: how far each source is behind, what became of its messages, and what is waited for. */
import { waitingPrefix } from '../ingest/events.ts'
import { lossText, lossTodo } from '../ingest/losses.ts'
import { loadPlace, type IngestPlace } from '../ingest/place.ts'
import { newPartition, noTotals, type SourceTotals } from '../ingest/sources.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { tablesOf } from '../schemas/joined.ts'
import type { Table } from '../schemas/record.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Ends, Feed } from '../utilities/feed.ts'
import type { Clock } from '../utilities/values/clock.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { factsNeeded } from './facts-needed.ts'
import { waitsFor } from './told-sources.ts'

/** Of a table or a record. */
export type SourceStatus = SourceTotals & {
  readonly source: string
  readonly topic: string
  /** How many were read; those that the topic has, where nothing was read yet. */
  readonly partitions: number
  /** Offsets that it has still to read; null where the topic cannot be reached or cannot say, as standard input. */
  readonly lag: number | null
  /** When its last message was sent, and how many seconds ago; null before the first. */
  readonly newestAt: string | null
  readonly secondsOld: number | null
  /** In words. */
  readonly waits: string | null
  readonly catchingUp: boolean
}

export type SourcesStatus = {
  readonly sources: readonly SourceStatus[]
  /** Topics of transactions: how many transactions went in pieces, and those of which a part may be lost. */
  readonly transactions: readonly {
    readonly topic: string
    readonly inPieces: number
    readonly lost: readonly LostTransaction[]
    /** What to do about those; null where there are none. */
    readonly todo: string | null
  }[]
  /** Streams of facts that have not begun, and the tables that they wait for. */
  readonly facts: readonly { readonly stream: string; readonly waitsFor: readonly string[] }[]
  /** Streams of events, and how many records wait there for what they refer to. */
  readonly events: readonly { readonly stream: string; readonly waiting: number }[]
  /** Why topics cannot be reached, once. */
  readonly outOfReach: string | null
}

type LostTransaction = {
  readonly transaction: string
  /** When what came of it did, or what came next. */
  readonly sentAt: string
  readonly says: string
}

type Ports = Pick<VersionPorts, 'checkpoints' | 'registry' | 'warehouse'> & {
  readonly clock: Clock
  /** Only to ask where topics end. */
  readonly feed: Pick<Feed, 'ends'>
}

type Asked = {
  readonly topics: { readonly [source: string]: { readonly topic: string; readonly isFleeting: boolean } }
  readonly definitions: readonly Definition[]
  readonly tables: readonly Table[]
}

export async function statusOfSources(ports: Ports, { topics, definitions, tables }: Asked): Promise<SourcesStatus> {
  const { checkpoints, clock } = ports
  const place = await loadPlace(checkpoints)
  const isTable = (name: string) => Object.hasOwn(place.tables, name) || tables.some((one) => one.name === name)
  const nowMs = Number(clock() / 1_000_000n)
  let outOfReach: string | null = null
  const endsOf = (topic: string): Promise<readonly Ends[] | undefined> =>
    ports.feed.ends(topic).catch((error: unknown) => {
      outOfReach ??= (error as Error).message
      return undefined
    })
  const sources = await Promise.all(
    Object.entries(topics).map(async ([source, { topic, isFleeting }]): Promise<SourceStatus> => {
      // Nobody asks standard input where it ends.
      const ends = isFleeting ? undefined : await endsOf(topic)
      const state = place.sources[source]
      const partitions = state?.partitions ?? []
      const newest = Math.max(0, ...partitions.map(({ time }) => time))
      return {
        source,
        topic,
        partitions: Math.max(partitions.length, ends?.length ?? 0),
        ...(state?.totals ?? noTotals),
        lag: ends ? ends.reduce((sum, one, partition) => sum + behind(one, partitions[partition]?.next), 0) : null,
        newestAt: newest === 0 ? null : new Date(newest).toISOString(),
        secondsOld: newest === 0 ? null : Math.max(0, Math.round((nowMs - newest) / 1000)),
        waits: waitsFor(state, source, isTable(source)),
        catchingUp: state?.snapshot?.catchingUp ?? false,
      }
    }),
  )
  return {
    sources,
    transactions: Object.entries(place.ends).map(([topic, { inPieces }]) => {
      const lost = (place.losses[topic] ?? []).map((one) => ({
        transaction: one.transaction,
        sentAt: new Date(one.at).toISOString(),
        says: lossText(topic, one),
      }))
      return { topic, inPieces, lost, todo: lost.length === 0 ? null : lossTodo(topic) }
    }),
    facts: await waitingFacts(ports, place, definitions, topics),
    events: await waitingEvents(checkpoints),
    outOfReach,
  }
}

/** What was deleted before it was read is not to be read any more. */
const behind = ({ first, next }: Ends, from = newPartition.next): number => Math.max(0, next - Math.max(first, from))

async function waitingFacts(ports: Ports, { facts, sources, tables }: IngestPlace, definitions: readonly Definition[], topics: object) {
  const isThere = (name: string) => (Object.hasOwn(topics, name) ? sources[name]?.loaded === true : Object.hasOwn(tables, name))
  const waiting = (await factsNeeded(ports, definitions)).filter(
    ({ retired, fact, stream: { name } }) =>
      !retired && !facts[name]?.begun && !facts[name]?.ended && tablesOf(fact).some((table) => Object.hasOwn(topics, table.name)),
  )
  return waiting.map(({ fact, stream }) => ({
    stream: stream.name,
    waitsFor: tablesOf(fact).flatMap(({ name }) => (isThere(name) ? [] : [name])),
  }))
}

async function waitingEvents(checkpoints: Checkpoints) {
  const names = await checkpoints.names(waitingPrefix)
  return Promise.all(
    names.map(async (name) => {
      let waiting = 0
      for await (const some of checkpoints.entries(name)) waiting += some.length
      return { stream: name.slice(waitingPrefix.length), waiting }
    }),
  )
}
