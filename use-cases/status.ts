/** What is where, how far each reader has come, and how fast. */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadPositions, running, type Run } from '../streams/position.ts'
import { idsForServices } from '../streams/for-services.ts'
import { loadHeld } from '../streams/held.ts'
import { isFact } from '../schemas/fact.ts'
import { setsOver, streamsOf } from '../streams/known-versions.ts'
import { allStreams } from '../streams/store.ts'
import { factsReader, ownerOf, sinkReader, streamOf, type Stream } from '../streams/stream.ts'
import type { TopicState } from '../utilities/log.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { promotedIn } from '../versions/journal.ts'
import { loadState } from '../versions/keep.ts'
import { loadPlace } from '../ingest/place.ts'
import { addLags, lagOf, type Lag } from './lag.ts'

export type Status = Awaited<ReturnType<typeof statusOf>>
export type SetStatus = Status['sets'][number]
export type ReaderStatus = Status['readers'][number]

type StatusAsked = {
  /** How long to look for the rates. */
  readonly overMs: number
  /** Whether a consumer or a sink may be at work. */
  readonly atWork: boolean
  readonly signal: AbortSignal
}

type Ports = Pick<VersionPorts, 'log' | 'registry' | 'checkpoints' | 'warehouse'>

export async function statusOf(ports: Ports, asked: StatusAsked) {
  const topics = await ports.log.topics()
  const sets = await setsOf(ports)
  const streams = await allStreams(ports)
  const held = await Promise.all(streams.map((stream) => loadHeld(ports.checkpoints, stream)))
  const readings = [...consumed(sets), ...(await sunk(ports, streams, factStreams(sets), topics))]
  const rates = await ratesOf(ports, readings, asked)
  const passedOver = await idsForServices(ports.registry)
  const lags = await Promise.all(
    readings.map((reading) => {
      const isRows = streams.some(({ outflow }) => outflow === reading.topic)
      return lagOf(ports.log, reading, endsIn(topics, reading) ?? { first: 0, next: 0 }, isRows ? passedOver : undefined)
    }),
  )
  const behind = (reader: string, topic?: string) =>
    behindBy(addLags(lags.filter((_, i) => readings[i]!.reader === reader && (topic === undefined || readings[i]!.topic === topic))))
  return {
    sets: sets.map((one) => setStatus(one, behind(one.set, streamOf(one.record).inflow))),
    topics,
    // The rate is by the second; null where nobody is at work.
    readers: readings.map(({ taken: _, ...place }, i) => ({ ...place, rate: rates[i] ?? null, ...behindBy(lags[i]!) })),
    sink: { next: readings.find(({ reader }) => reader === sink)?.next ?? 0, ...behind(sink) },
    // Of tables and their facts.
    ingest: await loadPlace(ports.checkpoints),
    // What was produced.
    inflow: streams.flatMap(({ name: record, inflow }, i) => held[i]!.map((take) => ({ ...take, record, topic: inflow }))),
    streams: streams.map(({ name: record, inflow, outflow, dead }, i) => ({
      record,
      inflow,
      outflow,
      dead,
      sets: sets.filter((one) => streamOf(one.record).name === record).map(({ set }) => set),
      held: held[i]!,
      sink: behind(sink, outflow),
    })),
  }
}

export const sink = 'sink'

/** Records that wait, null where they are not counted; and the offsets between. */
const behindBy = ({ records, offsets }: Lag) => ({ lag: records, lagOffsets: offsets })

type ReaderPlace = { readonly reader: string; readonly topic: string; readonly partition: number; readonly next: number }

/** With how much it has taken in all. */
type Reading = ReaderPlace & { readonly taken: number }

/** What the topic holds of the place's partition; undefined when it is not there. */
export const endsIn = (topics: readonly TopicState[], { topic, partition }: Pick<ReaderPlace, 'topic' | 'partition'>) =>
  topics.find((one) => one.topic === topic)?.partitions[partition]

/** Every reader's place in every partition. */
export const placesOf = async (ports: Ports): Promise<readonly Reading[]> => {
  const sets = await setsOf(ports)
  return [...consumed(sets), ...(await sunk(ports, await allStreams(ports), factStreams(sets), await ports.log.topics()))]
}

type SetFound = Awaited<ReturnType<typeof setsOf>>[number]

/** Once for each stream that the set is computed over, and for the one that its newest version is over. */
const setsOf = async (ports: Ports) => {
  const all = await Promise.all(
    (await setsOver(ports.registry)).map(async ({ set, version, record, batchOnly }) => ({
      set,
      version,
      record,
      positions: await loadPositions(ports.checkpoints, ownerOf({ set, record })),
      promoted: promotedIn(await loadState(ports, set)),
      batchOnly,
    })),
  )
  const isNewest = ({ set, version }: (typeof all)[number]) => all.every((one) => one.set !== set || one.version <= version)
  return all.filter((one) => isNewest(one) || one.positions.some((position) => running(position).length > 0))
}

/** Batch-only sets read nothing. */
const consumed = (sets: readonly SetFound[]): Reading[] =>
  sets
    .filter(({ batchOnly }) => !batchOnly)
    .flatMap(({ set, record, positions }) =>
      positions.map(({ offset, history }, partition) => ({
        reader: set,
        topic: streamOf(record).inflow,
        partition,
        next: offset,
        taken: sum(history.map((piece) => (piece.kind === 'inflow' ? piece.rows : 0))),
      })),
    )

/** Of outflow, and of the inflow of facts. */
const sunk = async (
  { warehouse }: Ports,
  streams: readonly Stream[],
  facts: readonly Stream[],
  topics: readonly TopicState[],
): Promise<Reading[]> => {
  const readers = [
    ...streams.map((stream) => ({ topic: stream.outflow, readerOf: (partition: number) => sinkReader(stream, partition) })),
    ...facts.map((stream) => ({ topic: stream.inflow, readerOf: (partition: number) => factsReader(stream, partition) })),
  ]
  return Promise.all(
    readers.flatMap(({ topic, readerOf }) =>
      (topics.find((one) => one.topic === topic)?.partitions ?? []).map(async (_, partition) => {
        const next = (await warehouse.progress(readerOf(partition))) ?? 0
        return { reader: sink, topic, partition, next, taken: next }
      }),
    ),
  )
}

/** The streams of facts that sets are over. */
const factStreams = (sets: readonly SetFound[]): readonly Stream[] =>
  streamsOf(sets.filter(({ record, batchOnly }) => !batchOnly && isFact(record)))

/** Taken in a second, of each reading; none where nobody is at work, so that there is nothing to wait for. */
async function ratesOf(ports: Ports, before: readonly Reading[], { overMs, atWork, signal }: StatusAsked): Promise<readonly number[]> {
  if (overMs === 0 || (!atWork && overMs <= 1000) || before.length === 0) return []
  const startedMs = performance.now()
  await sleep(overMs, undefined, { signal }).catch(() => undefined)
  const after = await placesOf(ports)
  const seconds = (performance.now() - startedMs) / 1000
  return before.map(({ reader, topic, partition, taken }) => {
    const now = after.find((one) => one.reader === reader && one.topic === topic && one.partition === partition)
    return Math.round(Math.max(0, (now?.taken ?? taken) - taken) / seconds)
  })
}

/** The lag is null for a set that no stream computes, the offset where inflow has several. */
function setStatus({ set, record, positions, promoted, batchOnly }: SetFound, behind: ReturnType<typeof behindBy>) {
  const runs = positions.flatMap((one) => one.runs)
  return {
    set,
    record: streamOf(record).name,
    promoted,
    live: [...new Set(positions.flatMap(running).map(({ version }) => version))],
    position: Math.max(...positions.map(({ seq }) => seq)),
    offset: positions.length === 1 ? positions[0]!.offset : null,
    ...(batchOnly ? { lag: null, lagOffsets: null } : behind),
    duplicates: sum(positions.map(({ duplicates }) => duplicates)),
    dead: sum(positions.map(({ dead }) => dead)),
    hold: positions.find(({ hold }) => hold)?.hold ?? null,
    lastSwitch: lastSwitch(runs),
    history: positions.flatMap(({ history }) => history),
    runs,
  }
}

/** The latest start of a version on any partition. */
function lastSwitch(runs: readonly Run[]) {
  const all = runs.map(({ version, switchedAt, switchedAfter }) => ({ version, at: switchedAt, afterSeq: switchedAfter }))
  return all.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)
