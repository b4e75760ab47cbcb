/** The latest value of a window. State over records: that value and for how long it still counts; saved in at most 12 bytes. */
import { roundDecimal } from '../decimal.ts'
import { defineOperator, type Computation } from '../define-operator.ts'
import { round } from '../options.ts'
import { layoutOf, putCount, putDouble, savedAs, takeCount, takeDouble } from '../state-bytes.ts'
import { numbers } from '../takes.ts'
import { daysPick } from '../windows/days-pick.ts'

const layout = layoutOf(3)

type State = {
  value: number
  /** For how many records to come it is in the window, nulls all. */
  left: number
}

const rowsLast = (last: number, round: number | undefined): Computation<State, Float64Array> => ({
  init: () => ({ value: NaN, left: 0 }),
  run(state, input, rows, out, from, to) {
    for (let row = from; row < to; row++) {
      const value = input[row]!
      if (value === value) {
        state.value = round === undefined ? value + 0 : roundDecimal(value, round)
        state.left = last - 1
      } else if (state.left > 0) state.left--
      else state.value = NaN
      out[row] = state.value
    }
  },
  ...savedAs<State>(
    layout,
    (to, { value, left }) => {
      putDouble(to, value)
      putCount(to, left)
    },
    (from) => ({ value: takeDouble(from), left: takeCount(from) }),
  ),
  mostBytes: () => 16,
})

/** The latest value that is not null. */
export const last = defineOperator({
  op: 'last',
  takes: numbers,
  gives: 'number',
  params: { round },
  windows: {
    last: (records, { round }) => rowsLast(records, round),
    days: (days, { round }) => daysPick('last', days, round),
  },
  exact: (values) => values.at(-1) ?? null,
})
