/** A turn at the border: whoever has it alone writes there, and begins with what stands under way. */
import { unkept } from '../streams/kept-schemas.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Lease, LeaseOptions } from '../utilities/lease.ts'
import { Fenced, type Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Table } from '../schemas/record.ts'
import type { Tables } from '../utilities/tables.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { Problem } from '../utilities/values/problem.ts'
import { writeBatch, type Targets, type Work } from './batch.ts'
import { bringTables } from './cache.ts'
import { clean } from './clean.ts'
import { carryOut, withLoad } from './load.ts'
import { openEvents } from './events.ts'
import type { NeededEvent, NeededFact } from './needed.ts'
import { loadPlace, loadWords, newestKnown, type IngestPlace, type LoadUnderWay } from './place.ts'
import { writableRecord, type NeededRecord, type WritableRecord } from './records.ts'
import { checkKeys, registerTables } from './table-rows.ts'
import type { TopicSource } from './topic-source.ts'
import { writableFact } from './writable.ts'
import type { WritableEvent } from './write-events.ts'
import { tablesOf } from '../schemas/joined.ts'

/** What definitions and released versions need of topics. */
export type Needs = {
  readonly facts: readonly NeededFact[]
  /** All that facts are made from. */
  readonly tables: readonly Table[]
  readonly records: readonly NeededRecord[]
  readonly events: readonly NeededEvent[]
}

/** What a turn leaves to the next one of the same process: nothing of it is read or registered again. */
export type Kept = {
  readonly targets: Targets
  /** The place as it was left. */
  readonly place: IngestPlace
}

export type TurnPorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly tables: Tables
  readonly clock: Clock
  readonly lease: (name: string, options: LeaseOptions) => Promise<Lease>
}

export type TurnOptions = {
  readonly sources: readonly TopicSource[]
  readonly partitions: (of: { readonly name: string }) => number
  readonly signal: AbortSignal
  /** Facts in a commit. */
  readonly factsAtOnce?: number
}

type Asked = TurnOptions & {
  readonly needs: Needs
  readonly kept: Kept | undefined
  /** What has been read goes on from there. */
  readonly readFrom: IngestPlace
  /** For records that wait, in milliseconds since 1970: it stands still while tables are behind. */
  readonly eventsNowMs: () => number
}

export type Turn = {
  readonly place: IngestPlace
  readonly kept: Kept
  write(work: Work): Promise<void>
  /** Writes the facts that stand, as the first of their streams. */
  begin(facts: readonly NeededFact[]): Promise<void>
  close(): Promise<void>
}

const usualFactsAtOnce = 100_000

/** `kept` is what this process left; undefined where it has not written yet, or something else is needed. */
export async function openTurn(ports: TurnPorts, options: Asked): Promise<Turn> {
  const { log, checkpoints, registry, tables, clock } = ports
  const { signal, partitions, needs, kept, readFrom, eventsNowMs, factsAtOnce = usualFactsAtOnce } = options
  const lease = await ports.lease('ingest', { givesWay: true, signal })
  const writer = await log.writer('ingest').catch((error: unknown) => lease.close().then(() => Promise.reject(error)))
  const close = async () => {
    await writer.close()
    await lease.close()
  }
  try {
    let place = await loadPlace(checkpoints)
    if (JSON.stringify(readFrom.sources) !== JSON.stringify(place.sources)) throw kept ? takenOver() : new Fenced('ingest')
    checkKeys(needs.tables, place)
    const known = kept?.targets.known ?? (await registerTables(registry, needs.tables))
    const all = { ...ports, writer }
    const canGoOn = await bringTables(ports, known, place)
    const loading = { facts: needs.facts, partitions: ({ fact }: NeededFact) => partitions(fact), signal, report: () => {} }
    if (place.load) {
      if (!canGoOn) throw notWhole(place.load)
      place = await carryOut(all, place as UnderWay, known, loading)
    }
    if (place.unclean && !place.load) place = await clean(all, known, place)
    const targets = kept?.targets ?? (await targetsOf(ports, options, needs, known))
    // Somebody else may have changed tables meanwhile.
    if (kept && kept.place.mark?.token !== place.mark?.token) for (const { state } of targets.events) state.allChanged()
    return {
      get kept() {
        return { targets, place }
      },
      get place() {
        return place
      },
      async write(work) {
        place = await writeBatch(all, place, targets, work, { now: clock(), eventsNowMs: eventsNowMs(), signal, factsAtOnce })
        targets.unkept = []
      },
      async begin(facts) {
        const known = newestKnown(facts.flatMap(({ fact }) => tablesOf(fact).flatMap(({ name }) => place.tables[name] ?? [])))
        const begun = withLoad(place, { rows: 0, tables: [], facts, partial: true, known, clock })
        tables.seal(begun.load!.mark)
        place = await carryOut(all, begun as UnderWay, targets.known, loading)
      },
      close,
    }
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
}

type UnderWay = IngestPlace & { readonly load: LoadUnderWay }

async function targetsOf(ports: TurnPorts, { sources, partitions }: TurnOptions, needs: Needs, known: Targets['known']): Promise<Targets> {
  const schemas = known.map(({ registered }) => registered)
  const facts = []
  for (const needed of needs.facts.filter(({ retired }) => !retired)) {
    const { one, registered } = await writableFact(ports, needed, partitions(needed.fact))
    facts.push(one)
    schemas.push(registered)
  }
  const records = new Map<string, WritableRecord>()
  for (const needed of needs.records) {
    const one = await writableRecord(ports, needed, partitions(needed.record))
    records.set(needed.record.name, one)
    schemas.push(one.registered)
  }
  const events: WritableEvent[] = []
  for (const one of needs.events.filter(({ retired }) => !retired)) {
    const { event, pers, stream } = one
    const target = await writableRecord(ports, { record: event, pers }, partitions(event))
    events.push({ needed: one, target, state: await openEvents(ports.checkpoints, { event, stream }, ports.tables) })
    schemas.push(target.registered)
  }
  return {
    known,
    facts,
    records,
    events,
    sources: new Map(sources.map((source) => [source.name, source])),
    unkept: await unkept(ports, schemas),
  }
}

const takenOver = () =>
  new Problem(
    'another process reads the topics of this store: places have moved that this one has not',
    'Nothing is lost or doubled. Let one of them run: two readers of one store only stop each other.',
  )

const notWhole = (load: LoadUnderWay) =>
  new Problem(
    `${loadWords(load)}, begun at ${load.since}, is under way, and what it still has to write is not here`,
    'Run that load again, so that it is done; then this.',
  )
