/** The least value of a window. */
import { defineOperator } from '../define-operator.ts'
import { inOrder } from '../fractions.ts'
import { ordered } from '../gives.ts'
import { round } from '../options.ts'
import { values } from '../takes.ts'
import { pickOver } from '../windows/pick-over.ts'

export const min = defineOperator({
  op: 'min',
  gives: ordered,
  reads: values,
  params: { round },
  windows: pickOver('min'),
  exact: (values) => inOrder(values).at(0) ?? null,
})
