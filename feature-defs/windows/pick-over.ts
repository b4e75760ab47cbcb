/** One value of a window, over all of its kinds. */
import { roundDecimal } from '../decimal.ts'
import { gatheredBag } from '../facts/gathered-bag.ts'
import { overLast } from '../facts/over-last.ts'
import { overWindow } from '../facts/over-span.ts'
import { pickedOfLast, pickedOver } from '../facts/picked.ts'
import type { SpanOf } from '../facts/spans.ts'
import type { Standing, Unit } from '../facts/standing.ts'
import { greatest, least } from './bag.ts'
import { bucketsPick } from './buckets-pick.ts'
import { overTime } from './over-time.ts'
import type { ReadBag } from './rows-bag.ts'
import { rowsPick, type Pick } from './rows-pick.ts'
import type { Rounded } from './totals-over.ts'

export const pickOver = (pick: Pick) => ({
  last: (records: number, { round }: Rounded) => ({
    ...rowsPick(pick, records, round),
    standing: () => factsPick(pick, round).ofLast(records),
  }),
  ...overTime(
    (reach, { round }: Rounded) => bucketsPick(pick, reach, round),
    (span, { round }) => factsPick(pick, round).over(span),
  ),
})

/** Of facts any can be taken again, the one that is picked, too: what comes next must be there. */
function factsPick(pick: Pick, round: number | undefined) {
  if (pick === 'first' || pick === 'last')
    return {
      ofLast: (facts: number) => pickedOfLast(pick, facts, round) as Standing,
      over: (spanOf: SpanOf | undefined) => (unit: Unit) =>
        (spanOf ? pickedOver(pick, spanOf(unit), round) : pickedOfLast(pick, Infinity, round)) as Standing,
    }
  const value = pick === 'min' ? least : greatest
  const read: ReadBag = round === undefined ? value : (bag) => roundDecimal(value(bag) as number, round)
  return {
    ofLast: (facts: number) => overLast(gatheredBag(read), facts) as Standing,
    over: (spanOf: SpanOf | undefined) => overWindow(gatheredBag(read), spanOf),
  }
}
