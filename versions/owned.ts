/** The rows that a version owns, partition by partition, computed again from everything that was taken: what proofs and repairs compare with. */
import { lineage } from '../batch/lineage.ts'
import { checkHistory, replay, type ReplayOptions } from '../batch/replay.ts'
import { loadPosition, loadPositions, type Piece, type Run } from '../feature-defs/checkpoint.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { outflowTopic, sinkReader } from '../feature-defs/inflow.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { spread } from '../feature-defs/routing.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { rowsOf } from '../feature-defs/rows.ts'
import { decoder } from '../schemas/decode.ts'
import { runsOfId } from '../schemas/wire.ts'
import { columnOf, pick, rowsWhere, type Columns } from '../utilities/columns.ts'
import { Problem } from '../utilities/problem.ts'
import type { VersionPorts } from './bring.ts'
import type { RowAt } from './compare.ts'
import { isComplete } from './journal.ts'
import { loadState } from './keep.ts'

/** The records of a partition whose rows are the version's. */
export type Owned = {
  readonly partition: number
  readonly run: Run
  /** The last of them that was taken. */
  readonly end: number
  /** The last of them whose row the sink has brought to the warehouse, if it has not come from elsewhere. */
  readonly until: number
  readonly history: readonly Piece[]
}

export type OwnedRows = { readonly definition: Definition; readonly partitions: readonly Owned[] }

export async function ownedRows(ports: VersionPorts, set: string, version: number): Promise<OwnedRows> {
  const own = (await loadState(ports, set)).versions[version]
  if (!own) throw new Problem(`${set}@${version} is not applied`, `See what is: tidemark versions ${set}`)
  if (own.retired) throw new Problem(`${set}@${version} is retired: its rows are gone`, `See what is left: tidemark versions ${set}`)
  const known = (await knownVersions(ports.registry, set)).find(({ definition }) => definition.version === version)
  if (!known) throw new Problem(`the registry has lost the schema of ${set}@${version}`, `Have it made again: tidemark repair ${set}`)
  const positions = await loadPositions(ports.checkpoints, set)
  const runs = positions.map(({ runs }) => runs.findLast((one) => one.version === version))
  if (!isComplete(own) || runs.some((run) => run === undefined)) throw new Problem(`${set}@${version} has not been computed yet`, `Finish it: tidemark apply ${set}@${version}`)
  const { definition, registered } = known
  const partitions = await Promise.all(positions.map(async (position, partition): Promise<Owned> => {
    const run = runs[partition]!
    const end = run.until ?? position.seq
    return { partition, run, end, until: Math.min(end, await sunkUntil(ports, definition, registered.id, partition)), history: position.history }
  }))
  return { definition, partitions }
}

export type Watched = { readonly signal: AbortSignal; readonly report: (news: { readonly rows: number; readonly of: number }) => void }

/** Those of one partition up to a record, in order. `dropped` hears of what was taken for a duplicate on the way. */
export async function* computedAgain(
  ports: VersionPorts, definition: Definition, { partition, run, history }: Owned, until: number, { signal, report }: Watched, dropped: (seq: number) => void = () => {},
): AsyncIterable<Columns> {
  const past = lineage(definition, run.origins)
  const { record } = definition
  const options = { record, wanted: Object.keys(record.fields), partition, ...beginningOf(run), until, signal }
  for await (const { records, seq, behind } of replay(ports, history, options)) {
    behind.forEach(dropped)
    const all = rowsOf(definition, records, past.push(records), ports.clock())
    yield seq.length > 0 && seq[0]! > run.after ? all : pick(all, rowsWhere(seq, (one) => one > run.after))
    report({ rows: seq.length, of: until })
  }
}

/** Why the rows cannot be computed again, when records that they are made of are not to be had any more. */
export async function historyGone(ports: VersionPorts, { partitions }: OwnedRows, signal: AbortSignal): Promise<Problem | undefined> {
  const needs = partitions.map(({ partition, history, run }) => ({ partition, history, ...beginningOf(run) }))
  return checkHistory(ports, needs, signal).then(() => undefined, asProblem)
}

type Beginning = Pick<ReplayOptions, 'after' | 'afterRows'>

/** Before all of its features were empty, nothing makes a difference. */
function beginningOf({ after, afterRows, origins }: Run): Beginning {
  const first = Math.min(after, ...Object.values(origins))
  return { after: first, afterRows: first === after ? afterRows : undefined }
}

/** The partition that a row of the warehouse came from, by its key. */
export const partitionOf = ({ definition: { per }, partitions }: OwnedRows, { rows, row }: RowAt): Owned =>
  partitions[spread(pick(rows, Int32Array.of(row)), { per, partitions: partitions.length })[0]!.partition]!

/** Whether a row may have been brought since, or be on its way already: behind what was looked at, and not behind what its partition has taken by now. */
export function laterRows({ checkpoints }: Pick<VersionPorts, 'checkpoints'>, set: string): (place: Owned, seq: number) => Promise<boolean> {
  const ends = new Map<number, number>()
  return async ({ partition, run, end }, seq) => {
    if (run.until !== null) return seq <= end
    if (seq > (ends.get(partition) ?? end)) ends.set(partition, (await loadPosition(checkpoints, set, partition)).seq)
    return seq <= (ends.get(partition) ?? end)
  }
}

/** The last _seq of the version that the sink must have written; every one when it has caught up with outflow. */
async function sunkUntil({ log, warehouse }: VersionPorts, definition: Definition, id: string, partition: number): Promise<number> {
  const from = await sinkPlace({ log, warehouse }, partition)
  if (from === undefined) return Infinity
  const decode = decoder(rowSchema(definition), ['seq'])
  for await (const { batch } of log.read(outflowTopic, { partition, from })) {
    const run = runsOfId(batch).find((one) => one.id === id)
    if (run) return columnOf(decode(batch, run.from, run.to).columns, '_seq', 'int').values[0]! - 1
  }
  return Infinity
}

/** The first message of outflow that the sink of a partition has still to write; undefined when there is no outflow. What was deleted is not to come. */
export async function sinkPlace({ log, warehouse }: Pick<VersionPorts, 'log' | 'warehouse'>, partition: number): Promise<number | undefined> {
  const ends = (await log.topics()).find(({ topic }) => topic === outflowTopic)?.partitions[partition]
  return ends && Math.max(ends.first, (await warehouse.progress(sinkReader(partition))) ?? 0)
}

export type Dropped = {
  /** Those that were never taken. */
  readonly never: readonly number[]
  /** Of these nobody can tell any more: the history that they would be in is gone. */
  readonly untold: readonly number[]
}

/** What becomes of the numbers that were dropped as duplicates in a partition, when they are looked for in what was taken. */
export async function neverTaken(
  ports: VersionPorts, { record }: Definition, { partition, history, run }: Owned, dropped: ReadonlySet<number>, signal: AbortSignal,
): Promise<Dropped> {
  const left = new Set(dropped)
  const beginning = beginningOf(run)
  const look = async (pieces: readonly Piece[], from: Beginning, until: number) => {
    for await (const { seq, others } of replay(ports, pieces, { record, wanted: [], partition, ...from, until, signal })) {
      for (const some of [seq, others]) for (const one of some) left.delete(one)
    }
  }
  let latest = 0
  for (const one of dropped) latest = Math.max(latest, one)
  if (latest > beginning.after) await look(history, beginning, latest)
  // What the version does not rest on may be gone: only the pieces that can hold one of them are looked at.
  const untold: number[] = []
  let after = 0
  for (const piece of history) {
    const inside = [...left].filter((one) => one > after && one <= Math.min(piece.lastSeq, beginning.after))
    if (inside.length > 0) {
      const gone = await checkHistory(ports, [{ partition, history: [piece], after }], signal).then(() => undefined, asProblem)
      if (!gone) await look([piece], { after }, piece.lastSeq)
      else for (const one of inside) if (left.delete(one)) untold.push(one)
    }
    after = Math.max(after, piece.lastSeq)
  }
  return { never: [...left].sort((a, b) => a - b), untold }
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  throw error
}
