/**
 * Writes what came from topics, in one commit: the rows that changed, the facts that they change, the records, where each source has come,
 * and the letters of what could not be read. Only where more facts change than one commit takes are there more of them.
 */
import { randomUUID } from 'node:crypto'
import { tablesOf, type JoinedRecord } from '../schemas/joined.ts'
import type { Table } from '../schemas/record.ts'
import { streamOf } from '../streams/stream.ts'
import type { Save } from '../utilities/checkpoints.ts'
import type { Append } from '../utilities/log.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { arrivedIn } from './arrived.ts'
import { clean } from './clean.ts'
import { lettersOf } from './letters.ts'
import { nanosOf } from './net.ts'
import type { Piece } from './pieces.ts'
import type { IngestPlace, LoadedTable, LoadUnderWay } from './place.ts'
import type { WritableRecord } from './records.ts'
import { sourceAfter } from './snapshots.ts'
import { atTopics, newSource } from './sources.ts'
import { savesOf, stageNet } from './rows-to-write.ts'
import type { KnownTable } from './table-rows.ts'
import type { TopicSource } from './topic-source.ts'
import type { WritableFact } from './facts-to-write.ts'
import type { Arrived } from './waiting-entry.ts'
import { eventsToWrite, type WritableEvent } from './write-events.ts'
import { writeLoad, type WritePorts } from './write.ts'

/** What topics are written into, as it is now. */
export type Targets = {
  readonly known: readonly KnownTable[]
  readonly facts: readonly WritableFact[]
  /** By the name of the record. */
  readonly records: ReadonlyMap<string, WritableRecord>
  readonly events: readonly WritableEvent[]
  readonly sources: ReadonlyMap<string, TopicSource>
  /** Schemas that have to be kept beside the store: saved with the next commit. */
  unkept: readonly Save[]
}

export type BatchOptions = {
  readonly now: bigint
  /** For records that wait: it stands still while tables are behind, in milliseconds. */
  readonly eventsNowMs: number
  readonly signal: AbortSignal
  /** Facts in a commit. */
  readonly factsAtOnce: number
}

/** Rows of tables that change, some of them for another reason than a message. */
export type Work = {
  readonly pieces: readonly Piece[]
  readonly leaving?: { readonly table: string; readonly keys: Columns }
  /** What else the place is to say. */
  readonly after?: (place: IngestPlace) => IngestPlace
}

/** The rows of tables are settled, unless it was told to stop in the midst of facts. */
export async function writeBatch(
  ports: WritePorts,
  begun: IngestPlace,
  targets: Targets,
  work: Work,
  options: BatchOptions,
): Promise<IngestPlace> {
  const { tables } = ports
  const { pieces, leaving, after = (now) => now } = work
  const number = begun.loads + 1
  const known = newestOf(pieces) ?? options.now
  let place: IngestPlace = { ...begun, sources: atTopics(begun.sources, targets.sources.values()), loads: number }
  const appends: Append[] = []
  const saves: Save[] = [...targets.unkept]
  const rowsOf: ((isOnly: boolean) => readonly Save[])[] = []
  const batches = Map.groupBy(pieces, ({ changes }) => changes)
  const loaded: LoadedTable[] = []
  const before = Object.values(place.sources)
  const changed = new Map<Table, readonly Columns[]>()
  const arrived: { readonly record: string; readonly some: Arrived }[] = []
  const bySource = Map.groupBy(batches.values(), ([first]) => first!.source)
  tables.together(() => {
    for (const [name, own] of bySource) {
      const { of } = targets.sources.get(name)!
      if (!('table' in of)) continue
      const keys = own.flatMap((some) => stageNet(tables, of.table, some))
      changed.set(of.table, keys)
    }
  })
  for (const [name, own] of bySource) {
    const source = targets.sources.get(name)!
    const { topic } = source
    let state = place.sources[name] ?? newSource(topic)
    for (const piece of own.flat()) state = sourceAfter(state, piece, number, before)
    place = { ...place, sources: { ...place.sources, [name]: state } }
    if ('table' in source.of) {
      const { table } = source.of
      const isNeededBy = (made: JoinedRecord) => tablesOf(made).some((one) => one.name === table.name)
      const letters =
        targets.facts.find(({ fact }) => isNeededBy(fact))?.stream ??
        targets.events.find(({ needed }) => isNeededBy(needed.event))?.needed.stream
      if (letters) appends.push(...(await lettersOf(ports, topic, letters, own.flat())))
    } else {
      const { record } = source.of
      const target = targets.records.get(record.name)
      const stream = streamOf(record)
      const isJoined = targets.events.some(({ needed }) => needed.event.event.of.name === record.name)
      for (const pieces of own) {
        const some = arrivedIn(pieces, topic)
        if (isJoined) arrived.push({ record: record.name, some })
        if (!target || some.records.count === 0) continue
        const { appends: more, saves: held, place: behind } = target.append(some.records, place.records[stream.name])
        appends.push(...more)
        saves.push(...held)
        place = { ...place, records: { ...place.records, [stream.name]: behind } }
      }
      const letters = target ? stream : targets.events.find(({ needed }) => needed.event.event.of.name === record.name)?.needed.stream
      if (letters) appends.push(...(await lettersOf(ports, topic, letters, own.flat())))
    }
  }
  if (leaving) {
    const table = targets.known.find((one) => one.table.name === leaving.table)!.table
    const values = new BigInt64Array(leaving.keys.count).fill(known)
    tables.stageGone(table.name, {
      count: leaving.keys.count,
      byName: new Map([...leaving.keys.byName, ['_known', { kind: 'long', values }]]),
    })
    changed.set(table, [...(changed.get(table) ?? []), leaving.keys])
  }
  if (targets.events.length > 0) {
    const keys = [...changed].flatMap(([{ name: table }, all]) => all.map((one) => ({ table, keys: one })))
    const came = { changed: keys, arrived }
    const made = await eventsToWrite(ports, targets.events, came, { nowMs: options.eventsNowMs, before: place.records })
    appends.push(...made.appends)
    saves.push(...made.saves)
    place = { ...place, records: made.records }
  }
  let rows = 0
  for (const table of changed.keys()) {
    const { registered } = targets.known.find((one) => one.table.name === table.name)!
    const { saves: own, totals } = savesOf(tables, table, registered.id, number)
    rowsOf.push(own)
    rows += totals.read
    const topic = targets.sources.get(table.name)?.topic ?? ''
    loaded.push({ table: table.name, key: table.key, source: topic, sha256: '', totals })
  }
  const facts = targets.facts.filter(({ stream }) => begun.facts[stream.name]?.begun && !begun.facts[stream.name]?.ended)
  const load: LoadUnderWay = {
    mark: { commit: number, token: randomUUID() },
    tables: loaded,
    partial: true,
    known: String(known),
    since: new Date(Number(options.now / 1_000_000n)).toISOString(),
    rows,
    rowsDone: rows,
    facts: facts.map(({ stream }) => stream.name),
    fact: 0,
    place: 0,
    totals: {},
  }
  tables.seal(load.mark)
  const done = await writeLoad(
    ports,
    { ...after(place), load },
    {
      known: targets.known,
      facts: rows > 0 ? facts : [],
      first: (isOnly) => [...saves, ...rowsOf.flatMap((own) => own(isOnly))],
      removesGone: true,
      append: appends,
      signal: options.signal,
      report: () => {},
      atOnce: options.factsAtOnce,
    },
  )
  if (done.load) return done
  const cleaned = done.unclean && !begun.unclean ? await clean(ports, targets.known, done, 'staged') : done
  tables.settle(load.mark)
  return cleaned
}

/** When the newest of the messages was sent, in nanoseconds. */
function newestOf(pieces: readonly Piece[]): bigint | undefined {
  let newest = -Infinity
  for (const { messages, from, to } of pieces) for (let i = from; i < to; i++) newest = Math.max(newest, messages.times[i]!)
  return newest === -Infinity ? undefined : nanosOf(newest)
}
