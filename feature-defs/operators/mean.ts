/** The mean of a window. */
import { defineOperator } from '../define-operator.ts'
import { divide, fractionOf, sumOf, whole } from '../fractions.ts'
import { round } from '../options.ts'
import { numbers } from '../takes.ts'
import { totalsOver } from '../windows/totals-over.ts'

export const mean = defineOperator({
  op: 'mean',
  takes: numbers,
  gives: 'number',
  params: { round },
  windows: totalsOver('mean'),
  exact: (values) => (values.length === 0 ? null : divide(sumOf(values.map(fractionOf)), whole(values.length))),
})
