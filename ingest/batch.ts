/**
 * Writes what came from topics, in one commit: the rows that changed, the facts that they change, the records, where each source has come,
 * and the letters of what could not be read. Only where more facts change than one commit takes are there more of them.
 */
import { randomUUID } from 'node:crypto'
import { says } from '../schemas/foreign/changes.ts'
import { tablesOf } from '../schemas/joined.ts'
import type { Table } from '../schemas/record.ts'
import { streamOf } from '../streams/stream.ts'
import type { Save } from '../utilities/checkpoints.ts'
import type { Append } from '../utilities/log.ts'
import { columnOf, type Column, type Columns } from '../utilities/values/columns.ts'
import { pickOrNull } from '../utilities/values/pick-or-null.ts'
import { clean } from './clean.ts'
import { lettersOf } from './letters.ts'
import { nanosOf, netOf } from './net.ts'
import type { Piece } from './pieces.ts'
import type { IngestPlace, LoadedTable, LoadUnderWay, RowTotals } from './place.ts'
import type { WritableRecord } from './records.ts'
import { sourceAfter } from './snapshots.ts'
import { newSource } from './sources.ts'
import { rowSaves, type KnownTable } from './table-rows.ts'
import type { TopicSource } from './topic-source.ts'
import type { WritableFact } from './facts-to-write.ts'
import { writeLoad, type WritePorts } from './write.ts'

/** What topics are written into, as it is now. */
export type Targets = {
  readonly known: readonly KnownTable[]
  readonly facts: readonly WritableFact[]
  /** By the name of the record. */
  readonly records: ReadonlyMap<string, WritableRecord>
  readonly sources: ReadonlyMap<string, TopicSource>
  /** Schemas that have to be kept beside the store: saved with the next commit. */
  unkept: readonly Save[]
}

export type BatchOptions = {
  readonly reader: string
  readonly now: bigint
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
  let place: IngestPlace = { ...begun, loads: number, reader: options.reader }
  const appends: Append[] = []
  const saves: Save[] = [...targets.unkept]
  const rowsOf: ((isOnly: boolean) => readonly Save[])[] = []
  const batches = Map.groupBy(pieces, ({ changes }) => changes)
  const loaded: LoadedTable[] = []
  const changed = new Set<Table>()
  for (const [name, own] of Map.groupBy(batches.values(), ([first]) => first!.source)) {
    const source = targets.sources.get(name)!
    const { topic } = source
    let state = place.sources[name] ?? newSource(topic)
    for (const piece of own.flat()) state = sourceAfter(state, piece, number)
    place = { ...place, sources: { ...place.sources, [name]: state } }
    if ('table' in source.of) {
      const { table } = source.of
      for (const some of own) stageNet(ports, table, some)
      changed.add(table)
      const needing = targets.facts.find(({ fact }) => tablesOf(fact).some((one) => one.name === table.name))
      if (needing) appends.push(...(await lettersOf(ports, topic, needing.stream, own.flat())))
    } else {
      const { record } = source.of
      const target = targets.records.get(record.name)
      const stream = streamOf(record)
      for (const some of target ? own : []) {
        const { appends: more, saves: held, place: behind } = target!.append(rowsIn(some), place.records[stream.name])
        if (behind.messages === place.records[stream.name]?.messages) continue
        appends.push(...more)
        saves.push(...held)
        place = { ...place, records: { ...place.records, [stream.name]: behind } }
      }
      if (target) appends.push(...(await lettersOf(ports, topic, stream, own.flat())))
    }
  }
  if (leaving) {
    const table = targets.known.find((one) => one.table.name === leaving.table)!.table
    const values = new BigInt64Array(leaving.keys.count).fill(known)
    tables.stageGone(table.name, {
      count: leaving.keys.count,
      byName: new Map([...leaving.keys.byName, ['_known', { kind: 'long', values }]]),
    })
    changed.add(table)
  }
  let rows = 0
  for (const table of changed) {
    const { registered } = targets.known.find((one) => one.table.name === table.name)!
    const { saves: own, totals } = savesOf(ports, table, registered.id, number)
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

function stageNet({ tables }: WritePorts, table: Table, pieces: readonly Piece[]): void {
  const { rows, gone } = netOf(table, pieces, (keys) => tables.find(table.name, keys))
  if (rows.count > 0) tables.stage(table.name, rows)
  if (gone.count > 0) tables.stageGone(table.name, gone)
}

/** The records of pieces of one batch, without those that had come before. */
function rowsIn(pieces: readonly Piece[]): Columns {
  const { changes, repeated } = pieces[0]!
  const within = (message: number) => repeated[message] === 0 && pieces.some(({ from, to }) => message >= from && message < to)
  const whole = pieces[0]!.from === 0 && pieces.length === 1 && pieces[0]!.to === changes.said.length && !repeated.includes(1)
  if (whole) return changes.rows
  const rows = Int32Array.from(changes.put.keys()).filter(
    (row) => changes.said[changes.put[row]!] === says.put && within(changes.put[row]!),
  )
  return { count: rows.length, byName: new Map([...changes.rows.byName].map(([name, column]) => [name, pickOrNull(column, rows)])) }
}

/** Rows as the log keeps them: what they were, and that they are gone, matters only while their facts are being written. */
function savesOf({ tables }: WritePorts, table: Table, id: string, number: number) {
  const toSaves = rowSaves(table, id)
  const batches = [...tables.changes(table.name, 0)]
  let [read, added, left] = [0, 0, 0]
  for (const changes of batches) {
    const [was, is] = [columnOf(changes, 'before', 'flag').values, columnOf(changes, 'after', 'flag').values]
    for (let row = 0; row < is.length; row++) {
      read++
      if (was[row] === 0 && is[row] === 1) added++
      if (was[row] === 1 && is[row] === 0) left++
    }
  }
  const totals: RowTotals = { read, added, left, changed: read - added - left, unchanged: 0, rejected: 0 }
  const saves = (isOnly: boolean) => batches.flatMap((changes) => (isOnly ? asTheyAre(changes) : toSaves(changes, number)))
  const asTheyAre = (changes: Columns): readonly Save[] => {
    const is = columnOf(changes, 'after', 'flag').values
    const before: Column = { kind: 'flag', values: new Uint8Array(changes.count) }
    const all = toSaves({ ...changes, byName: new Map([...changes.byName, ['before', before]]) }, number)
    if (!is.includes(0)) return all
    // Kafka gives what a row was before it left for as long as it keeps it: so it says first that the row has left.
    const whole = toSaves(changes, number)
    return all.flatMap((save, row) => (is[row] === 0 ? [whole[row]!, { ...save, value: null }] : [save]))
  }
  return { saves, totals }
}
