/** `verify`: replays a version's whole lineage and proves that the warehouse holds exactly those rows. */
import { lineage } from '../batch/lineage.ts'
import { replay } from '../batch/replay.ts'
import { loadPosition } from '../feature-defs/checkpoint.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { outflowTopic } from '../feature-defs/inflow.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import { decoder } from '../schemas/decode.ts'
import { runsOfId } from '../schemas/wire.ts'
import { columnOf, noDay, pick, rowsWhere, type Column, type Columns } from '../utilities/columns.ts'
import { Problem } from '../utilities/problem.ts'
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

export async function verify(
  ports: VersionPorts,
  { set, version, sinkReader, signal, report }: { readonly set: string; readonly version: number; readonly sinkReader: string; readonly signal: AbortSignal; readonly report: (news: { readonly rows: number; readonly of: number }) => void },
): Promise<Verified> {
  const known = (await knownVersions(ports.registry, set)).find(({ definition }) => definition.version === version)
  if (!known) throw new Problem(`${set}@${version} is not applied`, `See what is: tidemark versions ${set}`)
  const record = (await ports.warehouse.versions(set)).find((one) => one.version === version)
  if (record?.state === 'retired') throw new Problem(`${set}@${version} is retired: its rows are gone`, `See what is left: tidemark versions ${set}`)
  const position = await loadPosition(ports.checkpoints, set, 0)
  const run = position.runs.findLast((one) => one.version === version)
  if (!run) throw new Problem(`${set}@${version} has not been computed yet`, `Finish it: tidemark apply ${set}@${version}`)

  const { definition } = known
  const end = run.until ?? position.seq
  const until = Math.min(end, await sunkUntil(ports, definition, known.registered.id, sinkReader))
  const found = rowReader(ports.warehouse.rows(set, version, { first: 0, last: until }))
  const past = lineage(definition, run.origins)
  const differences = collector()
  let rows = 0

  const expectedRows = replay(ports, position.history, { record: definition.record, wanted: Object.keys(definition.record.fields), after: 0, until, signal })
  for await (const { records, seq } of expectedRows) {
    signal.throwIfAborted()
    const all = rowsOf(definition, records, past.push(records), 0n)
    const owned = seq.length > 0 && seq[0]! > run.after ? all : pick(all, rowsWhere(seq, (one) => one > run.after))
    await compare(owned, found, differences)
    rows += owned.count
    report({ rows: seq.length, of: until })
  }
  for (let extra = await found.next(Infinity); extra; extra = await found.next(Infinity)) differences.add(extra.seq, 'row', 'no row', 'a row')
  return { rows, after: run.after, until, notSunk: end - until, differences: differences.count(), first: differences.first }
}

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

async function compare(expected: Columns, found: ReturnType<typeof rowReader>, differences: ReturnType<typeof collector>): Promise<void> {
  const seq = columnOf(expected, '_seq', 'int').values
  const columns = [...expected.byName].filter(([name]) => name !== '_modified_ts' && name !== '_seq')
  for (let row = 0; row < expected.count; row++) {
    let there = await found.next(seq[row]!)
    for (; there && there.seq < seq[row]!; there = await found.next(seq[row]!)) differences.add(there.seq, 'row', 'no row', 'a row')
    if (!there) {
      differences.add(seq[row]!, 'row', 'a row', 'no row')
      continue
    }
    for (const [name, column] of columns) {
      const other = there.rows.byName.get(name)
      const [wanted, got] = [show(column, row), other ? show(other, there.row) : 'no such column']
      if (wanted !== got) differences.add(seq[row]!, name, wanted, got)
    }
  }
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
      return column.days[row] === noDay ? 'null' : new Date(column.days[row]! * 86_400_000).toISOString().slice(0, 10)
    case 'text':
      return column.starts[row] === -1 ? 'null' : JSON.stringify(Buffer.from(column.bytes.buffer, column.bytes.byteOffset).utf8Slice(column.starts[row]!, column.ends[row]!))
  }
}

/** The last _seq of the version that the sink must have written; every one when it has caught up with outflow. */
async function sunkUntil({ log, warehouse }: VersionPorts, definition: Definition, id: string, sinkReader: string): Promise<number> {
  const from = (await warehouse.progress(sinkReader)) ?? 0
  const decode = decoder(rowSchema(definition), ['seq'])
  for await (const { batch } of log.read(outflowTopic, { partition: 0, from })) {
    const run = runsOfId(batch).find((one) => one.id === id)
    if (run) return columnOf(decode(batch, run.from, run.to).columns, '_seq', 'int').values[0]! - 1
  }
  return Infinity
}
