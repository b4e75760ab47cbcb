/** The plain twin of what computes the operators: every window taken anew, and worked out as the operator says what it means. Slow. */
import type { OperatorSpec } from '../feature-defs/define-operator.ts'
import { fractionOf, toDouble, type Fraction } from '../feature-defs/fractions.ts'
import { operatorOf, windowsGiven } from '../feature-defs/known-operators.ts'
import { windows } from '../feature-defs/options.ts'

export type Value = number | null
/** What a field of any kind can hold. */
export type Input = number | string | null

/** The value of the feature after each record. */
export const exact = (spec: OperatorSpec, inputs: readonly Input[], days: readonly number[]): Value[] =>
  inputs.map((_, row) => exactAt(spec, inputs, days, row))

/** The value after this one. */
export function exactAt(spec: OperatorSpec, inputs: readonly Input[], days: readonly number[], row: number): Value {
  const operator = operatorOf(spec)
  const window = windowsGiven(operator, spec)[0]!
  const now = { row, day: days[row]! }
  const covered = (at: number) => windows[window].covers(spec[window] as number, { row: at, day: days[at]! }, now)
  const result = operator.exact(
    inputs.slice(0, row + 1).filter((value, at) => value !== null && covered(at)),
    spec,
  )
  return result === null ? null : rounded(typeof result === 'number' ? fractionOf(result) : result, spec['round'] as number | undefined)
}

/** Beyond the doubles it is null. */
function rounded(value: Fraction, decimals: number | undefined): Value {
  const result = decimals === undefined ? toDouble(value) : roundedDouble(value, decimals)
  return Number.isFinite(result) ? result : null
}

function roundedDouble(value: Fraction, decimals: number): number {
  const unit = 10n ** BigInt(decimals)
  const size = (value.over < 0n ? -value.over : value.over) * unit
  const down = size / value.under
  const up = 2n * (size % value.under) >= value.under ? down + 1n : down
  return toDouble({ over: value.over < 0n ? -up : up, under: unit })
}
