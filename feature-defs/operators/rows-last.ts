/** The latest value among the last n records. State: that value and for how long it still counts; saved in at most 12 bytes. */
import { roundDecimal } from './decimal.ts'
import type { Operator } from './operator.ts'
import { layouts, putCount, putDouble, readerOf, takeCount, takeDouble, takeLayout, written } from './state-bytes.ts'

type State = {
  value: number
  /** For how many records to come it is in the window, nulls all. */
  left: number
}

export const rowsLast = (last: number, round: number | undefined): Operator<State> => ({
  init: () => ({ value: NaN, left: 0 }),
  run(state, input, days, out, from, to) {
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
  save: ({ value, left }) => written((to) => {
    putCount(to, layouts.rowsLast)
    putDouble(to, value)
    putCount(to, left)
  }),
  load(saved) {
    const from = readerOf(saved)
    takeLayout(from, layouts.rowsLast)
    return { value: takeDouble(from), left: takeCount(from) }
  },
})
