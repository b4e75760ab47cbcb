/** The plain twin of what computes the operators: every window taken anew, and worked out as the operator says what it means. Slow. */
import type { OperatorSpec, PlainValue } from '../feature-defs/define-operator.ts'
import { fractionOf, toDouble, type Fraction } from '../feature-defs/fractions.ts'
import { givenFor, operatorOf, windowNamed, windowsGiven } from '../feature-defs/known-operators.ts'
import type { Moment } from '../feature-defs/options.ts'
import type { FeatureColumn } from '../feature-defs/feature-columns.ts'
import type { Field } from '../schemas/record.ts'
import { noDay, noFlag, wholeAt } from '../utilities/values/columns.ts'

/** What a feature has: a decimal is a whole number at its scale. */
export type Value = number | bigint | string | boolean | null
/** What a field of any kind can hold. */
export type Input = PlainValue | null

/** What came: the field's value, when, and, where the feature asks, whether it takes part. */
export type Came = { readonly input: Input; readonly day: number; readonly micros?: bigint; readonly part?: boolean }

/** The value of the feature after each record. */
export const exact = (spec: OperatorSpec, field: Field, all: readonly Came[]): Value[] =>
  all.map((_, row) => exactAt(spec, field, all, row))

/** The value after this one. */
export function exactAt(spec: OperatorSpec, field: Field, all: readonly Came[], row: number): Value {
  const operator = operatorOf(spec)
  const window = windowsGiven(operator, spec)[0]!
  const taking = all.slice(0, row + 1).filter(({ part = true }) => part)
  const now: Moment = { ...all[row]!, row: taking.length - 1 }
  const covered = taking
    .map((one, at) => ({ ...one, row: at }))
    .filter((one) => one.input !== null && windowNamed(window).covers(spec[window], one, now))
  const result = operator.exact(
    covered.map(({ input }) => input),
    spec,
    { at: covered, now },
    field,
  )
  return result === null ? null : valueOf(spec, field, result)
}

/** A fact that stands. */
export type Standing = Came & { readonly key: string }

/** The value of a key with these facts once the date has come: as a definition of what it means, with no memory of how they came. */
export function exactOf(spec: OperatorSpec, field: Field, facts: readonly Standing[], date: Moment | null): Value {
  const operator = operatorOf(spec)
  const window = windowsGiven(operator, spec)[0]!
  const { readsDate, covers } = windowNamed(window)
  const inOrder = facts
    .filter(({ part = true }) => part)
    .toSorted((a, b) => (a.micros === b.micros ? Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) : a.micros! < b.micros! ? -1 : 1))
    .map((one, row) => ({ ...one, row }))
  const now = { row: inOrder.length - 1, day: date?.day ?? 0, ...(date?.micros !== undefined && { micros: date.micros }) }
  const isIn = (one: (typeof inOrder)[number]) => {
    if (!readsDate) return covers(spec[window], one, now)
    return date !== null && one.micros! <= date.micros! && covers(spec[window], one, now)
  }
  const covered = inOrder.filter((one) => one.input !== null && isIn(one))
  const result = operator.exact(
    covered.map(({ input }) => input),
    spec,
    { at: covered, now },
    field,
  )
  return result === null ? null : valueOf(spec, field, result)
}

/** As the feature's type has it; null where there is no room for it. */
function valueOf(spec: OperatorSpec, field: Field, result: PlainValue): Value {
  const type = givenFor(spec, field)!.type(field, spec)
  const round = spec['round'] as number | undefined
  if (type.kind === 'number') {
    const exact = fractionOf(result as number | Fraction)
    const double = round === undefined ? toDouble(exact) : toDouble({ over: rounded(exact, round), under: 10n ** BigInt(round) })
    return Number.isFinite(double) ? double : null
  }
  if (type.kind === 'decimal') {
    const whole = rounded(fractionOf(result as Fraction), type.scale)
    return whole > -(10n ** 38n) && whole < 10n ** 38n ? whole : null
  }
  if (type.kind !== 'integer') return result as Value
  const whole = rounded(fractionOf(result as bigint | Fraction), 0)
  return whole === BigInt.asIntN(64, whole) ? whole : null
}

/** Half away from zero. */
function rounded(value: Fraction, decimals: number): bigint {
  const size = (value.over < 0n ? -value.over : value.over) * 10n ** BigInt(decimals)
  const down = size / value.under
  const up = 2n * (size % value.under) >= value.under ? down + 1n : down
  return value.over < 0n ? -up : up
}

/** What a feature's column has at each row. */
export function valuesIn(column: FeatureColumn): Value[] {
  switch (column.kind) {
    case 'number':
      return Array.from(column.values, (value) => (Number.isNaN(value) ? null : value))
    case 'integer':
    case 'decimal':
    case 'timestamp':
      return Array.from(column.values, (_, row) => wholeAt(column, row))
    case 'date':
      return Array.from(column.days, (day) => (day === noDay ? null : day))
    case 'flag':
      return Array.from(column.values, (value) => (value === noFlag ? null : value === 1))
    case 'text':
      return Array.from(column.starts, (start, row) => (start < 0 ? null : Buffer.from(column.bytes).utf8Slice(start, column.ends[row]!)))
  }
}
