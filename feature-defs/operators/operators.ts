/** The operator that a feature's description asks for. To add one: its file here, a case below, a line in the arrays of its tests. */
import { Problem } from '../../utilities/problem.ts'
import { daysPick } from './days-pick.ts'
import { daysTotals } from './days-totals.ts'
import { ema } from './ema.ts'
import type { Operator, OperatorSpec } from './operator.ts'
import { rowsExtreme } from './rows-extreme.ts'
import { rowsLast } from './rows-last.ts'
import { rowsTotals } from './rows-totals.ts'

export function operatorOf(spec: OperatorSpec): Operator<unknown> {
  const { op, round } = spec
  switch (op) {
    case 'count':
    case 'sum':
    case 'mean':
    case 'stddev':
      return 'days' in spec ? daysTotals(op, spec.days, round) : rowsTotals(op, spec.last, round)
    case 'min':
    case 'max':
      return 'days' in spec ? daysPick(op, spec.days, round) : rowsExtreme(op, spec.last, round)
    case 'last':
      return 'days' in spec ? daysPick(op, spec.days, round) : rowsLast(spec.last, round)
    case 'ema':
      return ema(spec.span, round)
    default:
      throw new Problem(`no operator is called ${String(op satisfies never)}`,
        'Use one that this version of tidemark knows, or install the version that made the definition.')
  }
}

/** The most digits that a sum of 2^53 doubles can have, from 10^308 down to 5 · 10^-324, and one of their squares. */
const widestSum = 652
const widestSquares = 1300

/** The most bytes that a saved state can take: it does not grow with the stream, but by days for a window of days. */
export function stateBytes(spec: OperatorSpec, distinctDays = 0): number {
  const header = 16
  if (spec.op === 'ema') return header
  if ('days' in spec) {
    if (spec.op === 'min' || spec.op === 'max' || spec.op === 'last') return header + 21 * distinctDays
    return header + (spec.op === 'count' ? 22 : 13 + widestSum + widestSquares) * distinctDays
  }
  return header + (spec.op === 'last' ? 0 : (spec.op === 'min' || spec.op === 'max' ? 11 : 8) * spec.last)
}
