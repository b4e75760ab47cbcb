/**
 * Writes what is staged into the log, some at a time: first the rows that changed, then the facts that they change, in order. Each commit
 * has the place with it, so that whoever goes on after any of them writes the rest and nothing twice.
 */
import { deadLetters } from '../streams/dead-letters.ts'
import type { Dead } from '../streams/dead.ts'
import { saveHeld } from '../streams/held.ts'
import { saveKeyedBy } from '../streams/routing.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import { everyYear, type Take } from '../schemas/csv/selection.ts'
import { columnOf } from '../utilities/values/columns.ts'
import type { Append, Log, Writer } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import type { Tables } from '../utilities/tables.ts'
import { factMaker, type FactChanges, type FactMaker, type Unfit } from './facts-of.ts'
import { factMessages, type Written } from './messages.ts'
import type { NeededFact } from './needed.ts'
import { orderFacts } from './order.ts'
import { newFact, savePlace, type FactTotals, type IngestPlace, type LoadUnderWay } from './place.ts'
import { rowSaves, type KnownTable } from './table-rows.ts'

export type WritePorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly tables: Tables
  readonly writer: Writer
}

export type WritableFact = NeededFact & { readonly written: Written }

export type WriteOptions = {
  readonly known: readonly KnownTable[]
  readonly facts: readonly WritableFact[]
  /** Saved with the first commit: what the messages rest on. */
  readonly first: readonly Save[]
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number; readonly facts: number }) => void
  /** Changes and facts in a commit, about. */
  readonly atOnce?: number
}

type Under = IngestPlace & { readonly load: LoadUnderWay }

/** Until it is done or told to stop, after a commit; what is staged is not settled yet. */
export async function writeLoad(ports: WritePorts, begun: Under, options: WriteOptions): Promise<IngestPlace> {
  const { writer } = ports
  const { signal, report, atOnce = 20_000 } = options
  const rowsAtOnce = 2 * atOnce
  const rows = rowsToWrite(ports, begun.load, options)
  const facts = factsToWrite(ports, begun, options)
  const commits = oneAhead()
  let place: IngestPlace = begun
  let first = options.first
  try {
    while (place.load) {
      const changed = rows.next(rowsAtOnce)
      const made = await facts.next(place.facts, Math.max(0, atOnce - changed.rows))
      place = placeAfter(place as Under, changed, made, options)
      const held = made.streams.flatMap((one) => heldSaves(one.one, place))
      const save = [...first, ...changed.saves, ...held, savePlace(place)]
      first = []
      const news = { rows: changed.rows, facts: made.count }
      await commits.begin(async () => {
        await writer.commit({ append: made.appends, save })
        report(news)
      })
      if (signal.aborted) break
    }
    await commits.settled()
    return place
  } finally {
    await commits.settled().catch(() => {})
  }
}

type ChangedRows = { readonly rows: number; readonly saves: readonly Save[] }

/** The rows that changed and are not in the log yet, table by table. */
function rowsToWrite({ tables }: WritePorts, load: LoadUnderWay, { known }: WriteOptions) {
  function* batches(): Generator<readonly Save[]> {
    let skip = load.rowsDone
    for (const { table, registered } of known) {
      const staged = tables.staged(table.name)
      if (skip < staged) {
        const saves = rowSaves(table, registered.id)
        for (const changes of tables.changes(table.name, skip)) yield saves(changes, load.mark.commit)
      }
      skip = Math.max(0, skip - staged)
    }
  }
  const all = batches()
  let rest: readonly Save[] = []
  return {
    /** So many, or all that are left. */
    next(wanted: number): ChangedRows {
      const saves: Save[] = []
      while (saves.length < wanted) {
        if (rest.length === 0) {
          const { value, done } = all.next()
          if (done) break
          rest = value
        }
        const some = rest.slice(0, wanted - saves.length)
        rest = rest.slice(some.length)
        for (const save of some) saves.push(save)
      }
      return { rows: saves.length, saves }
    },
  }
}

type MadeFacts = {
  readonly count: number
  readonly appends: readonly Append[]
  readonly streams: readonly { readonly one: WritableFact; readonly seq: number; readonly messages: number; readonly totals: FactTotals }[]
  readonly fact: number
  readonly place: number
}

function factsToWrite(ports: WritePorts, { load, facts: places }: Under, { facts }: WriteOptions) {
  const { tables, registry, log } = ports
  let [fact, place] = [load.fact, load.place]
  let current: { readonly maker: FactMaker; readonly count: number; readonly before: boolean } | undefined
  const listed = async ({ fact: schema, stream }: WritableFact) => {
    const maker = factMaker(schema, tables)
    const before = places[stream.name]?.begun ?? false
    return { maker, before, count: await orderFacts(tables, schema, maker, { before }) }
  }
  return {
    async next(now: IngestPlace['facts'], wanted: number): Promise<MadeFacts> {
      const appends: Append[] = []
      const streams: MadeFacts['streams'][number][] = []
      let count = 0
      while (count < wanted && fact < facts.length) {
        const one = facts[fact]!
        current ??= await listed(one)
        const to = Math.min(current.count, place + wanted - count)
        if (to > place) {
          const found = current.maker.changes('ordered', place, to, { before: current.before })
          const { seq } = now[one.stream.name] ?? newFact
          const made = factMessages(one.written)(found.changes, { seq, known: BigInt(load.known) })
          for (const append of made.appends) appends.push(append)
          if (found.unfit.length > 0) appends.push(await letters({ registry, log }, one, found.unfit))
          streams.push({ one, seq: seq + made.count, messages: made.count, totals: totalsOf(found) })
          count += to - place
        } else streams.push({ one, seq: (now[one.stream.name] ?? newFact).seq, messages: 0, totals: noFacts })
        place = to
        if (place >= current.count) [fact, place, current] = [fact + 1, 0, undefined]
      }
      return { count, appends, streams, fact, place }
    },
  }
}

export const noFacts: FactTotals = { added: 0, changed: 0, removed: 0, unfit: 0 }

export function totalsOf({ changes, unfit }: FactChanges): FactTotals {
  const was = columnOf(changes, 'before', 'flag').values
  const is = columnOf(changes, 'after', 'flag').values
  let [added, changed, removed] = [0, 0, 0]
  for (let row = 0; row < was.length; row++) {
    if (was[row] === 0) added++
    else if (is[row] === 0) removed++
    else changed++
  }
  return { added, changed, removed, unfit: unfit.length }
}

export const sumOf = (a: FactTotals, b: FactTotals): FactTotals => ({
  added: a.added + b.added,
  changed: a.changed + b.changed,
  removed: a.removed + b.removed,
  unfit: a.unfit + b.unfit,
})

/** Rows that make no fact, by their keys. */
async function letters({ registry, log }: Pick<WritePorts, 'registry' | 'log'>, { fact, stream }: WritableFact, unfit: readonly Unfit[]) {
  const write = await deadLetters(registry, stream, await log.largestMessage(stream.dead))
  const dead = unfit.map(({ key, column, reason }, index): Dead => {
    const why = `${column}: ${reason}, so that there is no ${fact.name} of ${key} of ${fact.fact.of.name}`
    return { index, offset: -1, reason: why, bytes: Buffer.from(key) }
  })
  return write(dead, 0)
}

function placeAfter(place: Under, changed: ChangedRows, made: MadeFacts, { facts }: WriteOptions): IngestPlace {
  const { load } = place
  const rowsDone = load.rowsDone + changed.rows
  const totals = { ...load.totals }
  const places = { ...place.facts }
  for (const { one, seq, messages, totals: more } of made.streams) {
    const { name } = one.stream
    totals[name] = sumOf(totals[name] ?? noFacts, more)
    const before = places[name] ?? newFact
    places[name] = { ...before, seq, messages: before.messages + messages }
  }
  const next = { ...load, rowsDone, fact: made.fact, place: made.place, totals }
  const isDone = rowsDone >= load.rows && made.fact >= facts.length
  if (!isDone) return { ...place, facts: places, load: next }
  return doneWith({ ...place, facts: places, load: next }, facts)
}

/** The load is done with this commit: its rows are what they are from now on. */
function doneWith(place: Under, facts: readonly WritableFact[]): IngestPlace {
  const { load } = place
  const places = { ...place.facts }
  for (const { stream } of facts) places[stream.name] = { ...(places[stream.name] ?? newFact), begun: true }
  const tables = { ...place.tables }
  for (const { table, key, totals } of load.tables) {
    const before = tables[table]?.rows ?? 0
    tables[table] = { key, rows: before + totals.added - totals.left, known: load.known }
  }
  return {
    ...place,
    mark: load.mark,
    load: null,
    unclean: load.tables.some(({ totals }) => totals.left > 0),
    facts: places,
    tables,
    last: load,
  }
}

/** What tells a message of ours from a stranger's, and how the partitions are keyed. */
export const heldSaves = ({ stream, written }: WritableFact, { facts }: IngestPlace): readonly Save[] => {
  const { seq, messages } = facts[stream.name]!
  if (messages === 0) return []
  const take: Take = {
    source: { name: 'tables', size: 0, sha256: '' },
    base: 0,
    years: everyYear,
    after: 0,
    firstSeq: 1,
    lastSeq: seq,
    rows: messages,
    rejected: 0,
  }
  return [saveHeld(stream, [take]), saveKeyedBy(stream, written.per)]
}
