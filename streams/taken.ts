/**
 * What was taken of a stream outside of it: what the batches of its feature sets took, and what those that have not finished are about to
 * take.
 */
import type { RecordSchema } from '../schemas/record.ts'
import { readDated } from '../schemas/csv/dated.ts'
import { chosenOf, ofYears, type Take, type Years } from '../schemas/csv/selection.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import { columnOf } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Source, SourceIdentity } from '../utilities/source.ts'
import { loadAllPositions, type BackfillHold, type BatchPiece } from './position.ts'
import { streamedSets } from './known-versions.ts'
import type { Stream } from './stream.ts'

type Reading = { readonly source: Source; readonly identity: SourceIdentity; readonly record: RecordSchema; readonly base: number }

type Taker = { readonly registry: Registry; readonly checkpoints: Checkpoints }

/** A batch that has not finished, over all partitions of its set. */
export type Unfinished = { readonly set: string; readonly hold: BackfillHold }

export async function takenByBatches(
  { registry, checkpoints }: Taker,
  stream: Stream,
): Promise<{ readonly takes: readonly BatchPiece[]; readonly unfinished: readonly Unfinished[] }> {
  // Sets that no consumer runs have nothing to do with it.
  const positions = await loadAllPositions(checkpoints, await streamedSets(registry, stream))
  // The partitions of a set have their pieces in common.
  const takes = new Map<string, BatchPiece>()
  const unfinished = new Map<string, Unfinished>()
  for (const {
    set,
    position: { history, hold },
  } of positions) {
    for (const piece of history) if (piece.kind === 'batch') takes.set([piece.base, piece.years, piece.after, piece.lastSeq].join(), piece)
    if (hold?.kind !== 'backfill') continue
    unfinished.set(set, { set, hold: { ...hold, after: Math.max(hold.after, unfinished.get(set)?.hold.after ?? 0) } })
  }
  return { takes: [...takes.values()], unfinished: [...unfinished.values()] }
}

/** What a batch that has not finished takes of this file once it has: only the file itself can tell how far that reaches. */
export async function takeToCome(
  { source, identity, record, base }: Reading,
  { set, hold }: Unfinished,
): Promise<Pick<Take, 'years' | 'after' | 'lastSeq'>> {
  if (hold.base !== base && hold.source.sha256 !== identity.sha256) throw besides(set, hold)
  return { years: hold.years, after: hold.after, lastSeq: await lastOf(source, record, base, hold.years) }
}

async function lastOf(source: Source, record: RecordSchema, base: number, years: Years): Promise<number> {
  let last = 0
  for await (const batch of readDated(record, source, { base })) {
    const { rows, rejects } = chosenOf(batch, record.at, years)
    const row = rows.at(-1)
    last = Math.max(last, row === undefined ? 0 : columnOf(batch.columns, '_seq', 'int').values[row]!, rejects.at(-1)?.seq ?? 0)
  }
  return last
}

const besides = (set: string, hold: BackfillHold) =>
  new Problem(
    `a backfill${ofYears(hold.years)} of ${set} from ${hold.source.name} has not finished, and how far it reaches is not known here`,
    'Let it finish, or run it again to finish it; then run this again.',
  )
