/**
 * Writes what is staged into the log, some at a time: first the rows that changed, then the facts that they change, in order. Each commit
 * has the place with it, so that whoever goes on after any of them writes the rest and nothing twice.
 */
import { saveHeld } from '../streams/held.ts'
import { saveKeyedBy } from '../streams/routing.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import { everyYear, type Take } from '../schemas/csv/selection.ts'
import type { Append, Log, Writer } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import type { Tables } from '../utilities/tables.ts'
import { factsToWrite, noFacts, placesAfter, sumOf, type MadeFacts, type WritableFact } from './facts-to-write.ts'
import { newFact, savePlace, widestAfter, type IngestPlace, type LoadUnderWay } from './place.ts'
import { rowSaves, type KnownTable } from './table-rows.ts'

export type WritePorts = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly tables: Tables
  readonly writer: Writer
}

export type WriteOptions = {
  readonly known: readonly KnownTable[]
  readonly facts: readonly WritableFact[]
  /** Saved with the first commit, which may be the only one: what the messages rest on. */
  readonly first: (isOnly: boolean) => readonly Save[]
  /** The first commit removes rows that are gone, where it is the only one: nothing is to be cleaned up. */
  readonly removesGone?: true
  /** Written with the first commit, before what the load makes. */
  readonly append?: readonly Append[]
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number; readonly facts: number }) => void
  /** Changes and facts in a commit, about. */
  readonly atOnce?: number
}

/** What changes no more than that is one group. Of many rows there are many commits anyway: smaller ones keep less in memory. */
const usualAtOnce = ({ rows }: LoadUnderWay) => (rows > 100_000 ? 10_000 : 20_000)

type Under = IngestPlace & { readonly load: LoadUnderWay }

/** Until it is done or told to stop, after a commit; what is staged is not settled yet. */
export async function writeLoad(ports: WritePorts, begun: Under, options: WriteOptions): Promise<IngestPlace> {
  const { writer } = ports
  const { signal, report, atOnce = usualAtOnce(begun.load) } = options
  const rowsAtOnce = Math.ceil(atOnce / 2)
  const rows = rowsToWrite(ports, begun.load, options)
  const facts = factsToWrite(ports, { load: begun.load, places: begun.facts, facts: options.facts, atOnce })
  const commits = oneAhead()
  let place: IngestPlace = begun
  let { first: firstSaves, append = [] }: Partial<Pick<WriteOptions, 'first' | 'append'>> = options
  try {
    while (place.load) {
      const changed = rows.next(rowsAtOnce)
      const made = await facts.next(place.facts, Math.max(0, atOnce - changed.rows))
      place = placeAfter(place as Under, changed, made, facts.passes)
      if (!place.load && firstSaves && options.removesGone) place = { ...place, unclean: begun.unclean }
      const held = [...new Set(made.streams.map(({ one }) => one))].flatMap((one) => heldSaves(one, place))
      const save = [...(firstSaves?.(!place.load) ?? []), ...changed.saves, ...held, savePlace(place)]
      const all = [...append, ...made.appends]
      ;[firstSaves, append] = [undefined, []]
      const news = { rows: changed.rows, facts: made.count }
      await commits.begin(async () => {
        await writer.commit({ append: all, save })
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

function placeAfter(place: Under, changed: ChangedRows, made: MadeFacts, passes: number): IngestPlace {
  const { load } = place
  const rowsDone = load.rowsDone + changed.rows
  const totals = { ...load.totals }
  for (const { one, totals: more } of made.streams) totals[one.stream.name] = sumOf(totals[one.stream.name] ?? noFacts, more)
  const facts = placesAfter(place.facts, made.streams)
  const next: Under = { ...place, facts, load: { ...load, rowsDone, fact: made.fact, place: made.place, totals } }
  return rowsDone >= load.rows && made.fact >= passes ? doneWith(next) : next
}

/** The load is done with this commit: its rows are what they are from now on. */
function doneWith(place: Under): IngestPlace {
  const { load } = place
  const places = { ...place.facts }
  for (const name of load.facts) places[name] = { ...(places[name] ?? newFact), begun: true }
  // What happened in this load is missing there.
  if (load.rows > 0)
    for (const [name, one] of Object.entries(places)) if (one.begun && !load.facts.includes(name)) places[name] = { ...one, ended: true }
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
    widest: widestAfter(place.widest, load),
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
