/** The sum of a window. */
import { defineOperator } from '../define-operator.ts'
import { fractionOf, sumOf } from '../fractions.ts'
import { round } from '../options.ts'
import { numbers } from '../takes.ts'
import { totalsOver } from '../windows/totals-over.ts'

export const sum = defineOperator({
  op: 'sum',
  takes: numbers,
  gives: 'number',
  params: { round },
  windows: totalsOver('sum'),
  exact: (values) => (values.length === 0 ? null : sumOf(values.map(fractionOf))),
})
