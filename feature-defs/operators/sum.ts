/** The sum of a window. */
import { defineOperator } from '../define-operator.ts'
import { fractionOf, sumOf } from '../fractions.ts'
import { aLongDecimal, anInteger, aNumber, scaleOf } from '../gives.ts'
import { round } from '../options.ts'
import { numbers } from '../takes.ts'
import { decimalRoom, integerRoom } from '../windows/rooms.ts'
import { totalsOver } from '../windows/totals-over.ts'

export const sum = defineOperator({
  op: 'sum',
  gives: { number: aNumber, integer: anInteger, decimal: aLongDecimal, flag: aNumber },
  reads: numbers,
  params: { round },
  windows: totalsOver(({ round }, field) => {
    if (field.kind === 'integer') return { op: 'sum', round: 0, room: integerRoom }
    const scale = scaleOf(field)
    return field.kind === 'decimal' ? { op: 'sum', round: scale, behind: scale, room: decimalRoom } : { op: 'sum', round }
  }),
  exact: (values) => (values.length === 0 ? null : sumOf(values.map(fractionOf))),
})
