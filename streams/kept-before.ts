/** Reads what stores kept before a take was bounded: stretches of `_seq` instead of years between two numbers. */
import { everyYear, type Take } from '../schemas/csv/selection.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { SourceIdentity } from '../utilities/source.ts'

type Ranges = readonly (readonly [first: number, last: number])[]
type HeldBefore = { readonly identity: SourceIdentity; readonly base: number; readonly ranges: Ranges }

/** What of a position was kept otherwise. */
type PositionBefore = {
  readonly seq: number
  readonly history: readonly { readonly lastSeq: number; readonly ranges?: Ranges }[]
  readonly hold: { readonly kind: string; readonly token?: string } | null
}

export function positionOf<P extends object>(saved: P & PositionBefore): P {
  const history = saved.history.map((piece, i) => {
    if (!('ranges' in piece)) return piece
    // A piece of a file always took the rows of its years that lay behind everything before it, whatever stretches were noted.
    const { ranges: _, ...rest } = piece
    return { ...rest, after: saved.history[i - 1]?.lastSeq ?? 0, rejected: 0 }
  })
  const hold = saved.hold?.kind === 'backfill' ? { base: null, after: saved.seq, token: '', ...saved.hold } : saved.hold
  return { ...saved, history, hold }
}

/** So many stretches are still few enough to be looked through for every row. */
const mostStretches = 1000

/** A stretch without a gap is all rows between two numbers, of whatever year. */
export function heldOf(saved: readonly (Take | HeldBefore)[]): readonly Take[] {
  return saved.flatMap((held): readonly Take[] => {
    if (!('ranges' in held)) return [held]
    const { identity: source, base, ranges } = held
    if (ranges.length > mostStretches) {
      throw new Problem(
        `what inflow holds of ${source.name} was noted by an earlier version of Tidemark as ${ranges.length} stretches of rows, ` +
          'which is no longer read',
        'Start over with an inflow of its own: another data directory or topicPrefix, and produce there.',
      )
    }
    return ranges.map(([firstSeq, lastSeq]) => ({
      source,
      base,
      years: everyYear,
      after: firstSeq - 1,
      firstSeq,
      lastSeq,
      rows: lastSeq - firstSeq + 1,
      rejected: 0,
    }))
  })
}
