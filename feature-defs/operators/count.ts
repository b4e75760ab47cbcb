/** How many values of a window are not null. */
import { defineOperator } from '../define-operator.ts'
import { aNumber, ofAny } from '../gives.ts'
import { round } from '../options.ts'
import { presence } from '../takes.ts'
import { totalsOver } from '../windows/totals-over.ts'

/** How many values are not null; of any field. */
export const count = defineOperator({
  op: 'count',
  gives: ofAny(aNumber),
  reads: presence,
  params: { round },
  windows: totalsOver(() => ({ op: 'count' })),
  exact: (values) => values.length,
})
