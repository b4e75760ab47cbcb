/** The standard deviation of a window. */
import { defineOperator } from '../define-operator.ts'
import { divide, fractionOf, multiply, subtract, sumOf, toDouble, whole, type Fraction } from '../fractions.ts'
import { aNumber, scaleOf } from '../gives.ts'
import { round } from '../options.ts'
import { numbers } from '../takes.ts'
import { totalsOver } from '../windows/totals-over.ts'

/** The sample standard deviation; null below two values. */
export const stddev = defineOperator({
  op: 'stddev',
  gives: { number: aNumber, integer: aNumber, decimal: aNumber },
  reads: numbers,
  params: { round },
  windows: totalsOver(({ round }, field) => ({ op: 'stddev', round, behind: scaleOf(field) })),
  exact(values) {
    if (values.length < 2) return null
    const fractions = values.map(fractionOf)
    const mean = divide(sumOf(fractions), whole(values.length))
    const squares = fractions.map((fraction) => subtract(fraction, mean)).map((gap) => multiply(gap, gap))
    return rootOf(divide(sumOf(squares), whole(values.length - 1)))
  },
})

/** Of a variance beyond the doubles too, whose root may lie among them; null where it does not. */
function rootOf(variance: Fraction): number | null {
  const huge = { over: 4n ** 512n, under: 1n }
  const root = toDouble(variance) === Infinity ? Math.sqrt(toDouble(divide(variance, huge))) * 2 ** 512 : Math.sqrt(toDouble(variance))
  return Number.isFinite(root) ? root : null
}
