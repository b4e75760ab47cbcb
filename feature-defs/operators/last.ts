/** The latest value of a window. State over records, of numbers: that value and for how long it still counts; saved in at most 12 bytes. */
import { roundDecimal } from '../decimal.ts'
import { defineOperator, type Computation } from '../define-operator.ts'
import { anyItself } from '../gives.ts'
import { round } from '../options.ts'
import { layoutOf, putCount, putDouble, savedAs, takeCount, takeDouble } from '../state-bytes.ts'
import { values } from '../takes.ts'
import { pickOver } from '../windows/pick-over.ts'

const layout = layoutOf(3)

type State = {
  value: number
  /** For how many records to come it is in the window, nulls all. */
  left: number
}

const rowsLast = (last: number, round: number | undefined): Computation<State, ArrayLike<number>> => ({
  init: () => ({ value: NaN, left: 0 }),
  now: ({ value }) => value,
  run(state, input, places, out, from, to) {
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

const picked = pickOver('last')

/** The latest value that is not null, in the order of the log. */
export const last = defineOperator({
  op: 'last',
  gives: anyItself,
  reads: values,
  params: { round },
  windows: {
    ...picked,
    last: (records, params, field) => {
      const any = picked.last(records, params)
      return field.kind === 'number' ? { ...rowsLast(records, params.round), standing: any.standing } : any
    },
  },
  exact: (values) => values.at(-1) ?? null,
})
