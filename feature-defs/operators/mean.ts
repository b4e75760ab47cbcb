/** The mean of a window. */
import { defineOperator } from '../define-operator.ts'
import { divide, fractionOf, sumOf, whole } from '../fractions.ts'
import { aNumber, aRoundedDecimal } from '../gives.ts'
import { round } from '../options.ts'
import { numbers } from '../takes.ts'
import { decimalRoom } from '../windows/rooms.ts'
import { totalsOver } from '../windows/totals-over.ts'

export const mean = defineOperator({
  op: 'mean',
  gives: { number: aNumber, integer: aNumber, decimal: aRoundedDecimal, flag: aNumber },
  reads: numbers,
  params: { round },
  windows: totalsOver(({ round }, field) =>
    field.kind === 'decimal' ? { op: 'mean', round, behind: field.scale, room: decimalRoom } : { op: 'mean', round },
  ),
  exact: (values) => (values.length === 0 ? null : divide(sumOf(values.map(fractionOf)), whole(values.length))),
})
