/**
 * The rows that a version owns, partition by partition, computed again from everything that was taken: what proofs and repairs compare
 * with.
 */
import { lineage } from '../batch/lineage.ts'
import { checkHistory, replay, type Need, type ReplayOptions } from '../batch/replay.ts'
import { loadPosition, loadPositions, type Piece, type Run } from '../streams/position.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { spread } from '../streams/routing.ts'
import { ownerOf } from '../streams/stream.ts'
import { rowsWithKeys } from '../streams/row-keys.ts'
import { rowsOf } from '../streams/rows.ts'
import { between, pick, type Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts } from './bring.ts'
import type { RowAt } from './compare.ts'
import { isComplete } from './journal.ts'
import { loadState } from './keep.ts'
import { onTheWay, type OnTheWay } from './on-the-way.ts'

/** The records of a partition whose rows are the version's. */
export type Owned = {
  readonly partition: number
  readonly run: Run
  /** The last of them that was taken. */
  readonly end: number
  readonly history: readonly Piece[]
}

export type OwnedRows = {
  readonly definition: Definition
  readonly partitions: readonly Owned[]
  /** Rows that the sink has still to bring. */
  readonly isOnTheWay: OnTheWay
}

export async function ownedRows(ports: VersionPorts, set: string, version: number): Promise<OwnedRows> {
  const own = (await loadState(ports, set)).versions[version]
  if (!own) throw new Problem(`${set}@${version} is not applied`, `See what is: tidemark versions ${set}`)
  if (own.retired) throw new Problem(`${set}@${version} is retired: its rows are gone`, `See what is left: tidemark versions ${set}`)
  const known = (await knownVersions(ports.registry, set)).find(({ definition }) => definition.version === version)
  if (!known) throw new Problem(`the registry has lost the schema of ${set}@${version}`, `Have it made again: tidemark repair ${set}`)
  const positions = await loadPositions(ports.checkpoints, ownerOf(known.definition))
  const runs = positions.map(({ runs }) => runs.findLast((one) => one.version === version))
  if (!isComplete(own) || runs.some((run) => run === undefined))
    throw new Problem(`${set}@${version} has not been computed yet`, `Finish it: tidemark apply ${set}@${version}`)
  const { definition } = known
  const partitions = positions.map(({ seq, history }, partition): Owned => {
    const run = runs[partition]!
    return { partition, run, end: run.until ?? seq, history }
  })
  // After the positions: what was taken up to there is in outflow by now.
  return { definition, partitions, isOnTheWay: await onTheWay(ports, known) }
}

export type Watched = { readonly signal: AbortSignal; readonly report: (news: { readonly rows: number; readonly of: number }) => void }

/** Those of one partition, in order. `dropped` hears of what was taken for a duplicate there. */
export async function* computedAgain(
  ports: VersionPorts,
  definition: Definition,
  owned: Owned,
  { signal, report }: Watched,
  dropped: (seq: number) => void = () => {},
): AsyncIterable<Columns> {
  const { partition, run, end, history } = owned
  const past = lineage(definition, run.origins, { models: ports.models })
  const { record } = definition
  const options = { record, wanted: Object.keys(record.fields), partition, ...beginningOf(run), until: end, signal }
  for await (const { records, seq, behind } of replay(ports, history, options)) {
    behind.forEach(dropped)
    const made = await past.push(records)
    yield between(rowsWithKeys(definition, rowsOf(definition, made.records, made.values, ports.clock())), run.after, Infinity)
    report({ rows: seq.length, of: end })
  }
}

/** Why the rows cannot be computed again, when records that they are made of are not to be had any more. */
export async function historyGone(
  ports: VersionPorts,
  { definition: { record }, partitions }: OwnedRows,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const needs = partitions.map(({ partition, history, run }) => ({ record, partition, history, ...beginningOf(run) }))
  return whyGone(ports, needs, signal)
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

/** Whether a row may have been brought since: behind what was looked at, and not behind what its partition has taken by now. */
export function laterRows(
  { checkpoints }: Pick<VersionPorts, 'checkpoints'>,
  { definition }: Pick<OwnedRows, 'definition'>,
): (place: Owned, seq: number) => Promise<boolean> {
  const ends = new Map<number, number>()
  return async ({ partition, run, end }, seq) => {
    if (run.until !== null || seq <= end) return false
    if (seq > (ends.get(partition) ?? end)) ends.set(partition, (await loadPosition(checkpoints, ownerOf(definition), partition)).seq)
    return seq <= (ends.get(partition) ?? end)
  }
}

export type Dropped = {
  /** Those that were never taken. */
  readonly never: readonly number[]
  /** Of these nobody can tell any more: the history that they would be in is gone. */
  readonly untold: readonly number[]
}

/** What becomes of the numbers that were dropped as duplicates in a partition, when they are looked for in what was taken. */
export async function neverTaken(
  ports: VersionPorts,
  { record }: Definition,
  { partition, history, run }: Owned,
  dropped: ReadonlySet<number>,
  signal: AbortSignal,
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
      const gone = await whyGone(ports, [{ record, partition, history: [piece], after }], signal)
      if (!gone) await look([piece], { after }, piece.lastSeq)
      else for (const one of inside) if (left.delete(one)) untold.push(one)
    }
    after = Math.max(after, piece.lastSeq)
  }
  return { never: [...left].sort((a, b) => a - b), untold }
}

const whyGone = (ports: VersionPorts, needs: readonly Need[], signal: AbortSignal): Promise<Problem | undefined> =>
  checkHistory(ports, needs, signal).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof Problem) return error
      throw error
    },
  )
