/**
 * The exponential moving average: level + α·(x − level) in double precision, the first value seeds, null leaves it. State: the level; saved
 * in 9 bytes.
 */
import { roundDecimal } from '../decimal.ts'
import { defineOperator, type Computation } from '../define-operator.ts'
import { fractionOf, toDouble } from '../fractions.ts'
import { aNumber } from '../gives.ts'
import { round } from '../options.ts'
import { layoutOf, putDouble, savedAs, takeDouble } from '../state-bytes.ts'
import { doubles } from '../takes.ts'

const layout = layoutOf(7)

/** NaN before the first value. */
type State = { level: number }

const alphaOf = (span: number) => 2 / (span + 1)

const movingLevel = (alpha: number, round: number | undefined): Computation<State, Float64Array> => ({
  init: () => ({ level: NaN }),
  run(state, input, places, out, from, to) {
    let level = state.level
    for (let row = from; row < to; row++) {
      const value = input[row]!
      if (value === value) {
        const next = level === level ? level + alpha * (value - level) : value
        level = next - next === 0 ? next : betweenHuge(level, value, alpha)
      }
      out[row] = round === undefined ? level + 0 : roundDecimal(level, round)
    }
    state.level = level
  },
  ...savedAs<State>(
    layout,
    (to, { level }) => putDouble(to, level),
    (from) => ({ level: takeDouble(from) }),
  ),
  mostBytes: () => 16,
})

/**
 * Two values can lie further apart than the largest double, though what lies between them does not: halves of such values are exact. NaN
 * should rounding leave the doubles after all.
 */
function betweenHuge(level: number, value: number, alpha: number): number {
  const next = 2 * (level / 2 + alpha * (value / 2 - level / 2))
  return next - next === 0 ? next : NaN
}

/** The exponential moving average with α = 2 / (span + 1), seeded with the first value. */
export const ema = defineOperator({
  op: 'ema',
  gives: { number: aNumber, integer: aNumber, decimal: aNumber },
  reads: doubles,
  params: { round },
  overFacts: 'Use mean over { last: n } or { days: n }.',
  windows: { span: (span, { round }) => movingLevel(alphaOf(span), round) },
  exact: (values, { span }) =>
    values
      .map((value) => toDouble(fractionOf(value)))
      .reduce<number | null>((level, x) => (level === null ? x : towards(level, x, alphaOf(span))), null),
})

/** In double precision, as if there were no largest double. */
function towards(level: number, x: number, alpha: number): number | null {
  if (Number.isFinite(x - level)) return level + alpha * (x - level)
  const half = level / 2 + alpha * (x / 2 - level / 2)
  return Number.isFinite(2 * half) ? 2 * half : null
}
