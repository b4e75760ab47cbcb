/** The exponential moving average: level + α·(x − level) in double precision, the first value seeds, null leaves it. State: the level; saved in 9 bytes. */
import { roundDecimal } from './decimal.ts'
import type { Operator } from './operator.ts'
import { layouts, putCount, putDouble, readerOf, takeDouble, takeLayout, written } from './state-bytes.ts'

/** NaN before the first value. */
type State = { level: number }

export function ema(span: number, round: number | undefined): Operator<State> {
  const alpha = 2 / (span + 1)
  return {
    init: () => ({ level: NaN }),
    run(state, input, days, out, from, to) {
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
    save: ({ level }) => written((to) => {
      putCount(to, layouts.ema)
      putDouble(to, level)
    }),
    load(saved) {
      const from = readerOf(saved)
      takeLayout(from, layouts.ema)
      return { level: takeDouble(from) }
    },
  }
}

/** Two values can lie further apart than the largest double, though what lies between them does not: halves of such values are exact. NaN should rounding leave the doubles after all. */
function betweenHuge(level: number, value: number, alpha: number): number {
  const next = 2 * (level / 2 + alpha * (value / 2 - level / 2))
  return next - next === 0 ? next : NaN
}
