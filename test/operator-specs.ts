/** Every operator over each of its windows and each kind of field that it takes, with values to try it on: what the laws are told of. */
import fc from 'fast-check'
import type { Operator, OperatorSpec, PlainValue } from '../feature-defs/define-operator.ts'
import type { Fraction } from '../feature-defs/fractions.ts'
import { kindsOf, operators, windowsOf } from '../feature-defs/known-operators.ts'
import type { WindowName } from '../feature-defs/options.ts'
import type { FieldColumn, FieldKind } from '../feature-defs/takes.ts'
import { textColumn } from '../feature-defs/values.ts'
import type { Json } from '../schemas/avro/schema.ts'
import { date, decimal, flag, integer, number, text, timestamp, type Field } from '../schemas/record.ts'
import { noDay, noFlag, putWhole, type Wholes } from '../utilities/values/columns.ts'
import type { Input } from './exact.ts'

/** A field of each kind, whose values come from numbers. */
type Kind = { readonly field: Field; of(value: number): PlainValue; column(values: readonly Input[]): FieldColumn }
const decimalScale = 4
const cutOff = (value: number) => BigInt(Math.trunc(value))

export const kinds: { readonly [kind in FieldKind]: Kind } = {
  number: {
    field: number({ from: 'x' }),
    of: (value) => value,
    column: (values) => ({ kind: 'number', values: Float64Array.from(values as (number | null)[], (value) => value ?? NaN) }),
  },
  integer: {
    field: integer({ from: 'x' }),
    // Small ones as they are; the large ones reach both ends of 64 bits, and their sums go beyond.
    of: (value) => (Math.abs(value) < 1e6 ? cutOff(value) : BigInt.asIntN(64, cutOff(value) * 9_123n)),
    column: (values) => ({ kind: 'integer', ...wholes(values as (bigint | null)[]) }),
  },
  decimal: {
    field: decimal({ digits: 38, scale: decimalScale, from: 'x' }),
    of: (value) => ({
      over: Math.abs(value) < 1e6 ? cutOff(value * 100) : (cutOff(value) * 98_765_432_109_876_543_210_987n) % 10n ** 38n,
      under: 10n ** BigInt(decimalScale),
    }),
    column: (values) => ({
      kind: 'decimal',
      scale: decimalScale,
      ...wholes((values as (Fraction | null)[]).map((value) => value && value.over)),
    }),
  },
  date: {
    field: date({ from: 'x' }),
    of: (value) => Math.trunc(value % 20_000) + 0,
    column: (values) => ({ kind: 'date', days: Int32Array.from(values as (number | null)[], (day) => day ?? noDay) }),
  },
  timestamp: {
    field: timestamp({ from: 'x' }),
    of: (value) => cutOff(value % 1e6) * 240_000_000_007n,
    column: (values) => ({ kind: 'timestamp', ...wholes(values as (bigint | null)[]) }),
  },
  text: {
    field: text({ bytes: 200, from: 'x' }),
    of: (value) => `${['', 'ä', '\uffee', '😀'][Math.abs(Math.trunc(value % 4))]}${value % 100}`,
    column: (values) => textColumn(values.map((value) => (value === null ? NaN : (value as string)))),
  },
  flag: {
    field: flag({ from: 'x' }),
    of: (value) => Math.trunc(value) % 2 === 0,
    column: (values) => ({ kind: 'flag', values: Uint8Array.from(values, (value) => (value === null ? noFlag : Number(value))) }),
  },
}

function wholes(values: readonly (bigint | null)[]): Wholes {
  const [doubles, wide] = [new Float64Array(values.length).fill(NaN), new Map<number, bigint>()]
  for (const [row, value] of values.entries()) if (value !== null) putWhole(doubles, wide, row, value)
  return wide.size === 0 ? { values: doubles } : { values: doubles, wide }
}

export const over = (op: string, options: { readonly [option: string]: Json }): OperatorSpec => ({ op, of: 'x', ...options })
const named = ({ of: _, ...spec }: OperatorSpec) => JSON.stringify(spec).replaceAll('"', '')

/** The options that each window is tried with, rounded and not. */
const tried: { readonly [window in WindowName]: readonly { readonly [option: string]: Json }[] } = {
  last: [{ last: 1 }, { last: 3 }, { last: 7, round: 0 }, { last: 50, round: 3 }],
  days: [{ days: 1 }, { days: 7, round: 2 }, { days: 30 }],
  hours: [{ hours: 1 }, { hours: 30, round: 2 }],
  months: [{ months: 1 }, { months: 3, round: 2 }],
  olderThanDays: [{ olderThanDays: 1 }, { olderThanDays: 7, round: 2 }],
  all: [{ all: true }, { all: true, round: 2 }],
  span: [{ span: 1 }, { span: 3 }, { span: 50, round: 3 }, { span: 7, round: 0 }],
  unit: [{ unit: 'days' }, { unit: 'hours' }, { unit: 'hours', round: 2 }],
}
/** What an operator must be told beside its window. */
const needed: { readonly [op: string]: readonly { readonly [option: string]: Json }[] } = {
  list: [{ bytes: 12 }, { bytes: 60 }],
  quantile: [{ p: 0.5 }, { p: 0.07 }, { p: 1 }, { p: 0 }],
}

/** As a field of that kind takes it: with decimals where it must have them, and without where it cannot. */
function fitting(operator: Operator, kind: FieldKind, spec: OperatorSpec): OperatorSpec {
  const { round, ...rest } = spec
  const may = operator.gives[kind]!.round
  if (may === 'must') return { ...rest, round: round ?? 1 }
  return may === 'can' && 'round' in operator.params && round !== undefined ? { ...rest, round } : (rest as OperatorSpec)
}

/** Every operator, over each of its windows and each kind of field that it takes: one that is added must obey every law below. */
export const specs = operators.flatMap((operator) =>
  kindsOf(operator).flatMap((kind) =>
    windowsOf(operator)
      .flatMap((window) => (kind === 'number' ? tried[window] : tried[window].slice(-2)))
      .map((options, index) => {
        const more = needed[operator.op]?.[index % needed[operator.op]!.length]
        const spec = fitting(operator, kind, over(operator.op, { ...options, ...more }))
        return [`${named(spec)}${kind === 'number' ? '' : ` of a ${kind}`}`, spec, kind] as const
      }),
  ),
)

const score = fc.integer({ min: 0, max: 900 })
const cents = fc.integer({ min: -10_000_000, max: 10_000_000 }).map((value) => value / 100)
const mixedScale = fc
  .tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: 0, max: 15 }))
  .map(([digits, places]) => digits / 10 ** places)
/** Their squares, or their sums, no longer fit doubles. */
const close = fc.integer({ min: 9_000_000, max: 9_000_003 })
const large = fc.integer({ min: 900_000_000_000_000, max: 999_999_999_999_999 })
export const edges = [
  0,
  -0,
  0.5,
  -0.5,
  1e300,
  -1e300,
  5e-324,
  -5e-324,
  0.1,
  0.2,
  0.30000000000000004,
  1 / 3,
  999999999999999,
  1e15,
  2 ** 53,
  -(2 ** 53) - 2,
  1e22,
]
const edge = fc.constantFrom(...edges)
const anyDouble = fc.double({ noNaN: true, min: -8e307, max: 8e307 })
/** Their sums, their squares and their distances lie beyond the doubles. */
const huge = fc.oneof(fc.double({ noNaN: true, min: -1.7e308, max: 1.7e308 }), fc.constantFrom(1.7e308, -1.7e308, 1e200, 1e154, -1e155))
export const anyValue = fc.oneof(score, cents, mixedScale, edge, anyDouble)

/** Stretches of values of one sort, so that windows fill with it, then another. */
export const stretch = fc
  .constantFrom(score, cents, mixedScale, close, large, huge, anyValue)
  .chain((sort) => fc.array(fc.option(sort, { freq: 5 }), { maxLength: 30 }))
export const values = fc.array(stretch, { maxLength: 6 }).map((stretches) => stretches.flat())

/** Days mostly go on; some records are late by a little, some by much. */
export const dayStep = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) },
  fc.integer({ min: -40, max: 40 }),
)
/** Now, and so far off that no double has the microsecond. */
export const firstDay = fc.constantFrom(14_000, 14_000, 2_800_000, -700_000)
export const clock = fc.oneof(
  fc.constantFrom(0, 1, 3_600_000_000, 3_600_000_001, 86_399_999_999),
  fc.integer({ min: 0, max: 86_399_999_999 }),
)
