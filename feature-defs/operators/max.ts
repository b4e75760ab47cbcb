/** The greatest value of a window. */
import { defineOperator } from '../define-operator.ts'
import { round } from '../options.ts'
import { numbers } from '../takes.ts'
import { daysPick } from '../windows/days-pick.ts'
import { rowsExtreme } from '../windows/rows-extreme.ts'

export const max = defineOperator({
  op: 'max',
  takes: numbers,
  gives: 'number',
  params: { round },
  windows: {
    last: (records, { round }) => rowsExtreme('max', records, round),
    days: (days, { round }) => daysPick('max', days, round),
  },
  exact: (values) => values.toSorted((a, b) => a - b).at(-1) ?? null,
})
