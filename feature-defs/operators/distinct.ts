/** How many different values a window has. */
import { defineOperator } from '../define-operator.ts'
import { sameness } from '../fractions.ts'
import { aNumber, ofAny } from '../gives.ts'
import { round } from '../options.ts'
import { values } from '../takes.ts'
import { bagOver } from '../windows/bag-over.ts'

/** How many different values that are not null; of any field. */
export const distinct = defineOperator({
  op: 'distinct',
  gives: ofAny(aNumber),
  reads: values,
  params: { round },
  windows: bagOver(
    () =>
      ({ counts }) =>
        counts.size,
  ),
  exact: (values) => new Set(values.map(sameness)).size,
})
