/** A turn at the border: whoever has it alone writes there, and begins with what stands under way. */
import { unkept } from '../streams/kept-schemas.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Lease } from '../utilities/lease.ts'
import type { Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Table } from '../schemas/record.ts'
import type { Tables } from '../utilities/tables.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { Problem } from '../utilities/values/problem.ts'
import { writeBatch, type Targets, type Work } from './batch.ts'
import { bringTables } from './cache.ts'
import { clean } from './clean.ts'
import { carryOut, withLoad } from './load.ts'
import type { NeededFact } from './needed.ts'
import { loadPlace, loadWords, newestKnown, type IngestPlace, type LoadUnderWay } from './place.ts'
import { writableRecord, type NeededRecord, type WritableRecord } from './records.ts'
import { checkKeys, registerTables } from './table-rows.ts'
import type { TopicSource } from './topic-source.ts'
import { writableFact } from './writable.ts'
import { tablesOf } from '../schemas/joined.ts'

/** What definitions and released versions need of topics. */
export type Needs = {
  readonly facts: readonly NeededFact[]
  /** All that facts are made from. */
  readonly tables: readonly Table[]
  readonly records: readonly NeededRecord[]
}

export type TurnPorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly tables: Tables
  readonly clock: Clock
  /** One that gives way lets others in between. */
  readonly lease: (name: string, options: { readonly givesWay: boolean }) => Promise<Lease>
}

export type TurnOptions = {
  /** A word for the process: no two of them read topics. */
  readonly reader: string
  readonly sources: readonly TopicSource[]
  readonly partitions: (of: { readonly name: string }) => number
  readonly signal: AbortSignal
}

export type Turn = {
  readonly place: IngestPlace
  write(work: Work): Promise<void>
  /** Writes the facts that stand, as the first of their streams. */
  begin(facts: readonly NeededFact[]): Promise<void>
  close(): Promise<void>
}

const factsAtOnce = 100_000

/** `before` is the place as this process left it; undefined where it has not written yet. */
export async function openTurn(ports: TurnPorts, options: TurnOptions, needs: Needs, before: IngestPlace | undefined): Promise<Turn> {
  const { log, checkpoints, registry, tables, clock } = ports
  const { reader, signal, partitions } = options
  const lease = await ports.lease('ingest', { givesWay: true })
  const writer = await log.writer('ingest').catch((error: unknown) => lease.close().then(() => Promise.reject(error)))
  const close = async () => {
    await writer.close()
    await lease.close()
  }
  try {
    let place = await loadPlace(checkpoints)
    if (before && JSON.stringify(before.sources) !== JSON.stringify(place.sources)) throw takenOver()
    checkKeys(needs.tables, place)
    const known = await registerTables(registry, needs.tables)
    const all = { ...ports, writer }
    const canGoOn = await bringTables(ports, known, place)
    const loading = { facts: needs.facts, partitions: ({ fact }: NeededFact) => partitions(fact), signal, report: () => {} }
    if (place.load) {
      if (!canGoOn) throw notWhole(place.load)
      place = await carryOut(all, place as UnderWay, known, loading)
    }
    if (place.unclean && !place.load) place = await clean(all, known, place)
    const targets = await targetsOf(ports, options, needs, known)
    return {
      get place() {
        return place
      },
      async write(work) {
        place = await writeBatch(all, place, targets, work, { reader, now: clock(), signal, factsAtOnce })
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
  return {
    known,
    facts,
    records,
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
