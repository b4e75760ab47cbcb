/** The least value of a window. */
import { defineOperator } from '../define-operator.ts'
import { round } from '../options.ts'
import { numbers } from '../takes.ts'
import { daysPick } from '../windows/days-pick.ts'
import { rowsExtreme } from '../windows/rows-extreme.ts'

export const min = defineOperator({
  op: 'min',
  takes: numbers,
  gives: 'number',
  params: { round },
  windows: {
    last: (records, { round }) => rowsExtreme('min', records, round),
    days: (days, { round }) => daysPick('min', days, round),
  },
  exact: (values) => values.toSorted((a, b) => a - b)[0] ?? null,
})
