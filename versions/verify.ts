/** `verify`: replays a version's whole lineage and proves that the warehouse holds exactly those rows. */
import { lineage } from '../batch/lineage.ts'
import { replay } from '../batch/replay.ts'
import { loadPositions, type Piece, type Routing, type Run } from '../feature-defs/checkpoint.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { outflowTopic } from '../feature-defs/inflow.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { spread } from '../feature-defs/routing.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import { decoder } from '../schemas/decode.ts'
import { runsOfId } from '../schemas/wire.ts'
import { columnOf, noDay, pick, rowsWhere, type Column, type Columns } from '../utilities/columns.ts'
import { dayText } from '../utilities/day.ts'
import { Problem } from '../utilities/problem.ts'
import { isComputed } from './check.ts'
import type { VersionPorts } from './growth.ts'

export type Difference = { readonly seq: number; readonly column: string; readonly expected: string; readonly found: string }

export type Verified = {
  readonly rows: number
  readonly after: number
  readonly until: number
  /** Rows computed but not yet brought to the warehouse by the sink: they are not compared. */
  readonly notSunk: number
  readonly differences: number
  readonly first: readonly Difference[]
}

const mostNamed = 10

export type VerifyOptions = {
  readonly set: string
  readonly version: number
  /** The name under which the sink of a partition saves its progress. */
  readonly sinkReader: (partition: number) => string
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number; readonly of: number }) => void
}

export async function verify(ports: VersionPorts, options: VerifyOptions): Promise<Verified> {
  const { set, version } = options
  const known = (await knownVersions(ports.registry, set)).find(({ definition }) => definition.version === version)
  if (!known) throw new Problem(`${set}@${version} is not applied`, `See what is: tidemark versions ${set}`)
  const record = (await ports.warehouse.versions(set)).find((one) => one.version === version)
  if (record?.state === 'retired') throw new Problem(`${set}@${version} is retired: its rows are gone`, `See what is left: tidemark versions ${set}`)
  const positions = await loadPositions(ports.checkpoints, set)
  if (!isComputed(positions, version)) throw new Problem(`${set}@${version} has not been computed yet`, `Finish it: tidemark apply ${set}@${version}`)

  const { definition } = known
  const stretches = await Promise.all(positions.map(async (position, partition): Promise<Owned> => {
    const run = position.runs.findLast((one) => one.version === version)!
    const end = run.until ?? position.seq
    const until = Math.min(end, await sunkUntil(ports, definition, known.registered.id, partition, options.sinkReader(partition)))
    return { partition, run, end, until, history: position.history }
  }))
  const until = Math.max(...stretches.map((one) => one.until))
  let rows = 0
  const counted = async function* (owned: Owned) {
    for await (const columns of expected(ports, definition, owned, until, options)) {
      rows += columns.count
      yield columns
    }
  }
  const differences = await compare(inOrder(stretches.map((owned) => rowReader(counted(owned)))), rowReader(ports.warehouse.rows(set, version, { first: 0, last: until })), {
    // A row that the sink brought since is not looked at: it lies beyond what its partition had written.
    isLater: (there) => there.seq > stretches[partitionOfRow(there, { per: definition.per, partitions: positions.length })]!.until,
  })
  const after = Math.min(...stretches.map(({ run }) => run.after))
  return { rows, after, until, notSunk: stretches.reduce((sum, one) => sum + one.end - one.until, 0), differences: differences.count(), first: differences.first }
}

/** The records of a partition whose rows are the version's, as far as the sink has brought them. */
type Owned = { readonly partition: number; readonly run: Run; readonly end: number; readonly until: number; readonly history: readonly Piece[] }

/** The rows of a partition, computed again. */
async function* expected(ports: VersionPorts, definition: Definition, { partition, run, until, history }: Owned, of: number, { signal, report }: VerifyOptions): AsyncIterable<Columns> {
  const past = lineage(definition, run.origins)
  for await (const { records, seq } of replay(ports, history, { record: definition.record, wanted: Object.keys(definition.record.fields), partition, after: 0, until, signal })) {
    signal.throwIfAborted()
    const all = rowsOf(definition, records, past.push(records), 0n)
    yield seq.length > 0 && seq[0]! > run.after ? all : pick(all, rowsWhere(seq, (one) => one > run.after))
    report({ rows: seq.length, of })
  }
}

/** The partition that a row of the warehouse came from, by its key. */
const partitionOfRow = ({ rows, row }: RowAt, routing: Routing) => spread(pick(rows, Int32Array.of(row)), routing)[0]!.partition

const collector = () => {
  const first: Difference[] = []
  let count = 0
  return {
    first,
    count: () => count,
    add(seq: number, column: string, expected: string, found: string) {
      if (count++ < mostNamed) first.push({ seq, column, expected, found })
    },
  }
}

type RowAt = { readonly seq: number; readonly rows: Columns; readonly row: number }

/** Walks the warehouse's rows one behind the other. */
function rowReader(batches: AsyncIterable<Columns>) {
  const iterator = batches[Symbol.asyncIterator]()
  let rows: Columns | undefined
  let seq = new Float64Array()
  let row = 0
  const peek = async (): Promise<RowAt | undefined> => {
    while (!rows || row >= rows.count) {
      const next = await iterator.next()
      if (next.done) return undefined
      rows = next.value
      seq = Float64Array.from(columnOf(rows, '_seq', 'int').values)
      row = 0
    }
    return { seq: seq[row]!, rows, row }
  }
  return {
    /** The next row, if its _seq is not beyond. */
    async next(upTo: number): Promise<RowAt | undefined> {
      const ready = rows && row < rows.count ? { seq: seq[row]!, rows, row } : await peek()
      if (!ready || ready.seq > upTo) return undefined
      row++
      return ready
    },
  }
}

type Reader = ReturnType<typeof rowReader>

/** The rows of several readers as one, by _seq. */
function inOrder(readers: readonly Reader[]): Reader {
  if (readers.length === 1) return readers[0]!
  const heads = new Map<Reader, RowAt | undefined>()
  return {
    async next(upTo) {
      for (const reader of readers) if (!heads.has(reader)) heads.set(reader, await reader.next(Infinity))
      const [reader, head] = [...heads].reduce((least, one) => ((one[1]?.seq ?? Infinity) < (least[1]?.seq ?? Infinity) ? one : least))
      if (!head || head.seq > upTo) return undefined
      heads.delete(reader)
      return head
    },
  }
}

async function compare(wanted: Reader, found: Reader, { isLater }: { readonly isLater: (there: RowAt) => boolean }) {
  const differences = collector()
  const extra = (there: RowAt) => {
    if (!isLater(there)) differences.add(there.seq, 'row', 'no row', 'a row')
  }
  for (let row = await wanted.next(Infinity); row; row = await wanted.next(Infinity)) {
    let there = await found.next(row.seq)
    for (; there && there.seq < row.seq; there = await found.next(row.seq)) extra(there)
    if (!there) {
      differences.add(row.seq, 'row', 'a row', 'no row')
      continue
    }
    for (const [name, column] of row.rows.byName) {
      if (name === '_modified_ts' || name === '_seq') continue
      const other = there.rows.byName.get(name)
      const [expected, got] = [show(column, row.row), other ? show(other, there.row) : 'no such column']
      if (expected !== got) differences.add(row.seq, name, expected, got)
    }
  }
  for (let there = await found.next(Infinity); there; there = await found.next(Infinity)) extra(there)
  return differences
}

/** A cell as text that is equal exactly when the cells are. */
function show(column: Column, row: number): string {
  switch (column.kind) {
    case 'number':
    case 'int':
      return Number.isNaN(column.values[row]!) ? 'null' : String(column.values[row])
    case 'long':
      return String(column.values[row])
    case 'date':
      return column.days[row] === noDay ? 'null' : dayText(column.days[row]!)
    case 'text':
      return column.starts[row] === -1 ? 'null' : JSON.stringify(Buffer.from(column.bytes.buffer, column.bytes.byteOffset).utf8Slice(column.starts[row]!, column.ends[row]!))
  }
}

/** The last _seq of the version that the sink must have written; every one when it has caught up with outflow. */
async function sunkUntil({ log, warehouse }: VersionPorts, definition: Definition, id: string, partition: number, sinkReader: string): Promise<number> {
  const from = (await warehouse.progress(sinkReader)) ?? 0
  const decode = decoder(rowSchema(definition), ['seq'])
  for await (const { batch } of log.read(outflowTopic, { partition, from })) {
    const run = runsOfId(batch).find((one) => one.id === id)
    if (run) return columnOf(decode(batch, run.from, run.to).columns, '_seq', 'int').values[0]! - 1
  }
  return Infinity
}
