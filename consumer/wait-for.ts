/** What a partition waits for before its records are computed, and why. */
import { ofYears } from '../schemas/csv/selection.ts'
import type { BackfillHold, Position } from '../streams/position.ts'
import { Problem } from '../utilities/values/problem.ts'

export const amidstBackfill = (why: string) => new Problem(why, 'Let it finish, or run the same backfill again to finish it; then consume.')

export const backfillOf = (hold: BackfillHold) =>
  `a backfill${ofYears(hold.years)} from ${hold.source.name} began (${hold.by}) and has not finished`

/** What the partition waits for, and why. */
type Waiting = {
  readonly until: 'the switch is over' | 'the backfill is finished' | 'a version is applied' | 'a version goes on'
  readonly why: string
}

export function waitFor({ hold, runs }: Position, isLeft: (token: string) => boolean, partition: number): Waiting | null {
  if (hold?.kind === 'switch') return isLeft(hold.token) ? null : { until: 'the switch is over', why: `${hold.by} is switching versions` }
  if (hold?.kind === 'backfill') return { until: 'the backfill is finished', why: backfillOf(hold) }
  if (runs.length === 0) return { until: 'a version is applied', why: `its first version has not reached partition ${partition}` }
  // All have ended that were over this stream: the set went over to a later version of the fact.
  const hasEnded = runs.every(({ until }) => until !== null)
  return hasEnded ? { until: 'a version goes on', why: 'no version is computed over this stream any more' } : null
}
