/** The operators: what each yields, drawn as tables, and the laws that all of them keep. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { nearestDouble, roundDecimal } from '../feature-defs/decimal.ts'
import { defineOperator, type Computation, type OperatorSpec } from '../feature-defs/define-operator.ts'
import { dropBeyond, featureColumn, outputOf } from '../feature-defs/feature-columns.ts'
import { sameness, toDouble } from '../feature-defs/fractions.ts'
import { aNumber } from '../feature-defs/gives.ts'
import type { Inputs } from '../feature-defs/inputs.ts'
import { computationOf, featureType, operators, operatorOf } from '../feature-defs/known-operators.ts'
import type { WindowName } from '../feature-defs/options.ts'
import { median } from '../feature-defs/operators/quantile.ts'
import { runOf } from '../feature-defs/run.ts'
import { written, type Held } from '../feature-defs/state-bytes.ts'
import type { FieldKind } from '../feature-defs/takes.ts'
import { textColumn, wholeOf } from '../feature-defs/values.ts'
import type { Times } from '../feature-defs/windows/reach.ts'
import type { Json } from '../schemas/avro/schema.ts'
import { flag } from '../schemas/record.ts'
import { type Column, type TextColumn } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import { clock, dayStep, edges, anyValue, firstDay, kinds, over, specs, values } from './operator-specs.ts'
import { exact, exactAt, valuesIn, type Came, type Input, type Value } from './exact.ts'
import { isLong } from './seeded.ts'
import { table } from './table.ts'

const numbers = (values: readonly (number | null)[]) => Float64Array.from(values, (value) => value ?? NaN)
const dayMicros = 86_400_000_000n
const came = (inputs: readonly Input[], days: readonly number[] = []): Came[] =>
  inputs.map((input, row) => ({ input, day: days[row] ?? 0, micros: BigInt(days[row] ?? 0) * dayMicros }))

type How = { readonly cuts?: readonly number[]; readonly saving?: boolean; readonly kind?: FieldKind }

/** Runs the records through in stretches that end at the cuts, saving and loading the state at each when asked to. */
function yieldsOf(spec: OperatorSpec, all: readonly Came[], { cuts = [], saving = false, kind = 'number' }: How = {}): Value[] {
  const fields = { x: kinds[kind].field, part: flag({ from: 'part' }) }
  const type = featureType({ name: 'r', at: 'x', fields }, { spec })
  const { computation, batch } = runOf(spec, { name: 'r', at: 'x', fields })
  const inputs: Inputs = {
    count: all.length,
    byName: new Map<string, Column>([
      ['x', kinds[kind].column(all.map(({ input }) => input))],
      ['part', { kind: 'flag', values: Uint8Array.from(all, ({ part = true }) => Number(part)) }],
    ]),
    days: Int32Array.from(all, ({ day }) => day),
    micros: all.map(({ micros }) => wholeOf(micros!)),
  }
  const run = batch(inputs)
  const out = outputOf(type, all.length)
  let state = computation.init()
  let from = 0
  for (const cut of [...cuts, all.length]) {
    run(state, out, from, cut)
    if (saving) state = reloaded(computation, state, () => heldBy(computation, inputs, all.slice(0, cut)))
    from = cut
  }
  dropBeyond(type, out)
  return valuesIn(featureColumn(type, out))
}

const yields = (spec: OperatorSpec, inputs: readonly Input[], days: readonly number[] = [], how: How = {}): Value[] =>
  yieldsOf(spec, came(inputs, days), how)

function heldBy(computation: Computation<unknown>, times: Times, all: readonly Came[]): Held {
  const places = Array.from(computation.places?.(times) ?? [])
  return {
    places: new Set(places.slice(0, all.length)).size,
    values: new Set(all.map(({ input }, row) => `${places[row]} ${input === null || sameness(input)}`)).size,
    bytes: Math.max(0, ...all.map(({ input }) => (typeof input === 'string' ? Buffer.byteLength(input) : 0))),
  }
}

const savedBy = <State>(computation: Computation<State>, state: State): Uint8Array => written((to) => computation.put(to, state))

function reloaded(computation: Computation<unknown>, state: unknown, held: () => Held): unknown {
  const saved = savedBy(computation, state)
  const loaded = computation.load(saved)
  expect(savedBy(computation, loaded)).toEqual(saved)
  expect(saved.length).toBeLessThanOrEqual(computation.mostBytes(held()))
  return loaded
}

/** The rows' column `x` by `day`, through the operator that stands above each other column. */
function expectTable(
  rows: readonly { readonly [column: string]: number | null }[],
  specs: { readonly [column: string]: OperatorSpec },
): void {
  const of = (name: string) => rows.map((row) => row[name]!)
  const days = rows.map((row) => row['day'] ?? 0)
  const found = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, yields(spec, of('x'), days)]))
  expect(found).toEqual(Object.fromEntries(Object.keys(specs).map((name) => [name, of(name)])))
}

const ema = (span: number, round?: number) => over('ema', round === undefined ? { span } : { span, round })
describe('windows of records', () => {
  it('use fewer records at the start', () => {
    const ma100 = over('mean', { last: 100, round: 3 })
    expectTable(
      table`
      x   | ma100
      0   | 0
      611 | 305.5
      502 | 371`,
      { ma100 },
    )
    expectTable(
      table`
      x   | ma100
      0   | 0
      614 | 307
      579 | 397.667`,
      { ma100 },
    )
  })

  it('forget the record that falls out', () => {
    expectTable(
      table`
      x  | mean | sum | count | min | max | stddev             | last
      4  | 4    | 4   | 1     | 4   | 4   | -                  | 4
      2  | 3    | 6   | 2     | 2   | 4   | 1.4142135623730951 | 2
      9  | 5.5  | 11  | 2     | 2   | 9   | 4.949747468305833  | 9
      9  | 9    | 18  | 2     | 9   | 9   | 0                  | 9
      -1 | 4    | 8   | 2     | -1  | 9   | 7.0710678118654755 | -1`,
      all({ last: 2 }),
    )
  })

  it('give a null a place but no part', () => {
    expectTable(
      table`
      x | mean | sum | count | min | max | stddev             | last
      - | -    | -   | 0     | -   | -   | -                  | -
      6 | 6    | 6   | 1     | 6   | 6   | -                  | 6
      - | 6    | 6   | 1     | 6   | 6   | -                  | 6
      3 | 4.5  | 9   | 2     | 3   | 6   | 2.1213203435596424 | 3
      - | 3    | 3   | 1     | 3   | 3   | -                  | 3
      - | 3    | 3   | 1     | 3   | 3   | -                  | 3
      - | -    | -   | 0     | -   | -   | -                  | -
      0 | 0    | 0   | 1     | 0   | 0   | -                  | 0`,
      all({ last: 3 }),
    )
  })

  it('hold one record when asked for one', () => {
    expectTable(
      table`
      x | mean | sum | count | min | max | stddev | last
      5 | 5    | 5   | 1     | 5   | 5   | -      | 5
      - | -    | -   | 0     | -   | -   | -      | -
      7 | 7    | 7   | 1     | 7   | 7   | -      | 7`,
      all({ last: 1 }),
    )
  })
})

describe('windows of days', () => {
  it('reach back over days, not records', () => {
    expectTable(
      table`
      day | x  | mean | sum | count | min | max | stddev             | last
      10  | 4  | 4    | 4   | 1     | 4   | 4   | -                  | 4
      10  | 8  | 6    | 12  | 2     | 4   | 8   | 2.8284271247461903 | 8
      11  | -  | 6    | 12  | 2     | 4   | 8   | 2.8284271247461903 | 8
      12  | 3  | 5    | 15  | 3     | 3   | 8   | 2.6457513110645907 | 3
      13  | 5  | 4    | 8   | 2     | 3   | 5   | 1.4142135623730951 | 5
      20  | -  | -    | -   | 0     | -   | -   | -                  | -
      21  | 1  | 1    | 1   | 1     | 1   | 1   | -                  | 1`,
      all({ days: 3 }),
    )
  })

  it('count a late record from when it arrives, in the windows of later days too', () => {
    expectTable(
      table`
      day | x   | mean | sum | count | min | max | stddev             | last
      10  | 1   | 1    | 1   | 1     | 1   | 1   | -                  | 1
      12  | 7   | 4    | 8   | 2     | 1   | 7   | 4.242640687119285  | 7
      11  | 100 | 50.5 | 101 | 2     | 1   | 100 | 70.0035713374682   | 100
      9   | 4   | 4    | 4   | 1     | 4   | 4   | -                  | 4
      12  | 4   | 28   | 112 | 4     | 1   | 100 | 48.062459362791664 | 4
      13  | -   | 37   | 111 | 3     | 4   | 100 | 54.58021619598075  | 4
      11  | -   | 35   | 105 | 3     | 1   | 100 | 56.31163290120435  | 4
      14  | -   | 5.5  | 11  | 2     | 4   | 7   | 2.1213203435596424 | 4`,
      all({ days: 3 }),
    )
  })
})

/** Every windowed operator over this window, under its own name. */
const all = (window: { readonly [name in WindowName]?: number }): { readonly [column: string]: OperatorSpec } =>
  Object.fromEntries(['mean', 'sum', 'count', 'min', 'max', 'stddev', 'last'].map((op) => [op, over(op, window)]))

describe('the exponential moving average', () => {
  it('starts at the first value and lets nulls pass', () => {
    expectTable(
      table`
      x  | ema3 | ema4
      -  | -    | -
      8  | 8    | 8
      4  | 6    | 6.4
      -  | 6    | 6.4
      0  | 3    | 3.84
      10 | 6.5  | 6.3`,
      { ema3: ema(3), ema4: ema(4, 2) },
    )
  })

  it('rounds what it yields, never what it keeps', () => {
    expectTable(
      table`
      x | whole | precise
      0 | 0     | 0
      1 | 1     | 0.5
      1 | 1     | 0.75
      0 | 0     | 0.375
      0 | 0     | 0.1875`,
      { whole: ema(3, 0), precise: ema(3) },
    )
  })
})

describe('rounding', () => {
  it('is half away from zero on the decimals as they are written', () => {
    expectTable(
      table`
      x       | whole | three
      2.5     | 3     | 2.5
      -2.5    | -3    | -2.5
      0.5     | 1     | 0.5
      -0.4999 | 0     | -0.5
      0.0005  | 0     | 0.001
      -0.0005 | 0     | -0.001
      1.0005  | 1     | 1.001
      2.0015  | 2     | 2.002
      0.00049 | 0     | 0
      8.0005  | 8     | 8.001
      1e300   | 1e300 | 1e300
      5e-324  | 0     | 0`,
      {
        whole: over('sum', { last: 1, round: 0 }),
        three: over('sum', { last: 1, round: 3 }),
      },
    )
  })

  it('agrees between the operators on a window of one', () => {
    const values = [2.5, -2.5, 0.0005, -0.0005, 1.0005, 2.0015, 1e300, 5e-324, 123456789.98765432, -0, 4503599627370497.5]
    for (const round of [0, 1, 3, 7, 15]) {
      const expected = yields(over('mean', { last: 1, round }), values)
      for (const op of ['sum', 'min', 'max', 'last'] as const) expect(yields(over(op, { last: 1, round }), values)).toEqual(expected)
      expect(yields(ema(1, round), values)).toEqual(expected)
    }
  })

  it('of a mean takes ties away from zero', () => {
    expectTable(
      table`
      x   | two
      1   | 1
      1.01 | 1.01
      -1.02 | -0.01
      -1.01 | -1.02
      0.01 | -0.5`,
      { two: over('mean', { last: 2, round: 2 }) },
    )
  })

  it('sees a tie that the double falls short of', () => {
    const shortOf = [
      [1.005, 2],
      [8.345, 2],
      [0.285, 2],
      [-1.255, 2],
      [1.15, 1],
      [4.35, 1],
      [0.000005, 5],
      [-0.615, 2],
    ] as const
    expect(shortOf.map(([value, round]) => roundDecimal(value, round))).toEqual([1.01, 8.35, 0.29, -1.26, 1.2, 4.4, 0.00001, -0.62])
  })

  it('equals exact rounding of the decimal, for any double', () => {
    const anyRound = fc.integer({ min: 0, max: 15 })
    const tie = fc
      .tuple(fc.integer({ min: -100_000, max: 100_000 }), anyRound)
      .map(([digits, round]) => [Number(`${digits}5e-${round + 1}`), round] as const)
    fc.assert(
      fc.property(fc.oneof(fc.tuple(anyValue, anyRound), tie), ([value, round]) => {
        expect(roundDecimal(value, round)).toBe(exact(over('last', { last: 1, round }), kinds.number.field, came([value]))[0])
      }),
      { numRuns: 2000 },
    )
  })
})

describe('exactness', () => {
  it('adds decimals as they are written', () => {
    expect(yields(over('sum', { last: 5 }), [0.1, 0.2])).toEqual([0.1, 0.3])
    expect(yields(over('sum', { days: 5 }), [0.1, 0.2])).toEqual([0.1, 0.3])
    expect(yields(over('mean', { last: 5 }), [0.1, 0.2])).toEqual([0.1, 0.15])
  })

  it('keeps what is small beside what is huge', () => {
    const values = [1e300, 5e-324, -1e300, 1]
    expect(yields(over('sum', { last: 4 }), values)).toEqual([1e300, 1e300, 5e-324, 1])
    expect(yields(over('sum', { days: 1 }), values)).toEqual([1e300, 1e300, 5e-324, 1])
  })

  it('has no value beyond the doubles, and every value among them', () => {
    const values = [1.7e308, 1.7e308, -1.7e308, 1]
    expect(yields(over('sum', { last: 2 }), values)).toEqual([1.7e308, null, 0, -1.7e308])
    expect(yields(over('sum', { days: 1, round: 2 }), values)).toEqual([1.7e308, null, 1.7e308, 1.7e308])
    expect(yields(over('mean', { last: 2 }), values)).toEqual([1.7e308, 1.7e308, 0, -8.5e307])
    expect(yields(over('stddev', { last: 3 }), [0, 3e200, 6e200])).toEqual([null, 2.1213203435596425e200, 3e200])
    expect(yields(over('stddev', { last: 2 }), values)).toEqual([null, 0, null, 1.2020815280171308e308])
    expect(yields(ema(3), values)).toEqual([1.7e308, 1.7e308, 0, 0.5])
    // A double so large swallows what is added to it.
    expect(yields(ema(1), values)).toEqual([1.7e308, 1.7e308, -1.7e308, 0])
  })

  it('holds when values, or days, that fit alone are too large together', () => {
    const oneDay = everyRow(60).map(() => 100)
    const backwards = everyRow(60).map((row) => 100 - (row >> 1))
    for (const [start, value] of [oneDay, backwards].flatMap((start) =>
      [999_999_999_999_999, 40_000_001, 9_000_001].map((value) => [start, value] as const),
    )) {
      const days = [...start, 101, 90, 101]
      const inputs = days.map((_, row): number | null => (row < 60 ? value - (row % 3) : null))
      for (const spec of (['sum', 'mean', 'stddev'] as const).flatMap((op) => [over(op, { days: 30 }), over(op, { last: 50 })])) {
        const expected = exact(spec, kinds.number.field, came(inputs, days))
        expect(yields(spec, inputs, days)).toEqual(expected)
        expect(yields(spec, inputs, days, { cuts: [30, 60, 61], saving: true })).toEqual(expected)
      }
    }
  })

  it('never yields a negative zero', () => {
    const values = [-0, -0, -5e-324, 0, -0]
    for (const [, spec, kind] of specs) if (kind === 'number') for (const value of yieldsOf(spec, came(values))) expect(value).not.toBe(-0)
  })

  it('lasts over millions of records of cents', { timeout: 30_000 }, () => {
    const rows = 3_000_000
    const cents = new Int32Array(rows)
    const input = new Float64Array(rows)
    for (let row = 0; row < rows; row++) {
      cents[row] = (Math.imul(row ^ (row >>> 7), 0x9e3779b1) >>> 8) % 4_000_000
      input[row] = cents[row]! / 100
    }
    const out = new Float64Array(rows)
    const computation = computationOf(over('mean', { last: 100, round: 3 }), kinds.number.field)
    computation.run(computation.init(), input, [], out, 0, rows)
    let sum = 0
    let wrong = 0
    for (let row = 0; row < rows; row++) {
      sum += cents[row]! - (row < 100 ? 0 : cents[row - 100]!)
      const count = Math.min(row + 1, 100)
      const rest = (sum * 10) % count
      const down = (sum * 10 - rest) / count
      if (out[row] !== (2 * rest >= count ? down + 1 : down) / 1000) wrong++
    }
    expect(wrong).toBe(0)
  })

  it('turns ratios of any size into the nearest double', () => {
    const big = fc.bigInt({ min: -(2n ** 1200n), max: 2n ** 1200n })
    const positive = fc
      .tuple(fc.bigInt({ min: 1n, max: 2n ** 64n }), fc.integer({ min: 0, max: 2200 }))
      .map(([value, shift]) => value << BigInt(shift))
    fc.assert(
      fc.property(big, positive, (numerator, denominator) => {
        expect(nearestDouble(numerator, denominator)).toBe(toDouble({ over: numerator, under: denominator }))
      }),
      { numRuns: 500 },
    )
  })

  it('takes ratios half-way between two doubles to the even one', () => {
    const half = fc
      .oneof(fc.integer({ min: 2 ** 52, max: 2 ** 53 - 1 }), fc.integer({ min: 0, max: 1000 }))
      .map((below) => BigInt(below) * 2n + 1n)
    const places = fc.oneof(fc.integer({ min: 0, max: 1080 }), fc.constant(1075))
    fc.assert(
      fc.property(half, places, fc.constantFrom(-1n, 0n, 1n), (odd, shift, nudge) => {
        const [over, under] = [odd * 2n ** 60n + nudge, 2n ** BigInt(shift + 60)]
        expect(nearestDouble(over, under)).toBe(toDouble({ over, under }))
      }),
      { numRuns: 500 },
    )
  })
})

const numberSeries = values.chain((inputs) => {
  const each = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: inputs.length, maxLength: inputs.length })
  return fc.record({
    inputs: fc.constant(inputs),
    times: fc.tuple(firstDay, each(dayStep), each(clock)).map(([first, steps, clocks]) => {
      let day = first
      return steps.map((step, row) => ({ day: (day += step), micros: BigInt(day) * dayMicros + BigInt(clocks[row]!) }))
    }),
    parts: each(fc.boolean()),
    cuts: fc.array(fc.integer({ min: 0, max: inputs.length }), { maxLength: 8 }).map((cuts) => cuts.sort((a, b) => a - b)),
  })
})

const everyRow = (length: number) => Array.from({ length }, (_, row) => row)

describe.each(specs)('%s', (_, spec, kind) => {
  const { field, of } = kinds[kind]
  const numRuns = (kind === 'number' ? 20 : 5) * (isLong ? 10 : 1)
  /** The same series, of values of this kind. */
  const series = numberSeries.map(({ inputs, times, ...rest }) => ({
    ...rest,
    all: inputs.map((value, row): Came => ({ input: value === null ? null : of(value), ...times[row]! })),
  }))

  it('equals the independent exact oracle', () => {
    fc.assert(
      fc.property(series, ({ all }) => {
        expect(yieldsOf(spec, all, { kind })).toEqual(exact(spec, field, all))
      }),
      { numRuns },
    )
  })

  it('takes only the records that a flag lets, and gives every record the value of its window without the others', () => {
    fc.assert(
      fc.property(series, ({ all, parts, cuts }) => {
        const some = all.map((one, row): Came => ({ ...one, part: parts[row]! }))
        expect(yieldsOf({ ...spec, when: 'part' }, some, { kind, cuts, saving: true })).toEqual(exact(spec, field, some))
      }),
      { numRuns: 8 },
    )
  })

  it('yields the same bits for any chunking', () => {
    fc.assert(
      fc.property(series, ({ all, cuts }) => {
        const whole = yieldsOf(spec, all, { kind })
        expect(yieldsOf(spec, all, { kind, cuts })).toEqual(whole)
        expect(yieldsOf(spec, all, { kind, cuts: everyRow(all.length) })).toEqual(whole)
      }),
      { numRuns },
    )
  })

  it('resumes from a saved state as if never stopped, and saves no more than it says', () => {
    fc.assert(
      fc.property(series, ({ all, cuts }) => {
        expect(yieldsOf(spec, all, { kind, cuts, saving: true })).toEqual(yieldsOf(spec, all, { kind }))
      }),
      { numRuns },
    )
  })

  it('gives nulls a place but no part', () => {
    fc.assert(
      fc.property(
        series.filter(({ all }) => all.length > 0),
        ({ all }) => {
          const final = all.length - 1
          const first = Math.max(0, all.length - ((spec['last'] ?? all.length) as number))
          const kept = all.filter(({ input }, row) => row === final || (row >= first && input !== null))
          expect(yieldsOf(spec, kept, { kind }).at(-1)).toEqual(yieldsOf(spec, all, { kind }).at(-1))
        },
      ),
      { numRuns },
    )
  })
})

/** An hour of 2008-03-31, minutes behind it, and the value; by default of a number. */
const atTime = (rows: readonly (readonly [time: string, input: Input])[]): Came[] =>
  rows.map(([time, input]) => {
    const micros = BigInt(Date.parse(`${time}Z`)) * 1000n
    return { input, day: Number(micros / dayMicros), micros }
  })

describe('other windows', () => {
  const rows = atTime([
    ['2008-02-29T10:00', 1],
    ['2008-03-01T09:00', 2],
    ['2008-03-01T10:00', 4],
    ['2008-03-31T23:59', 8],
    ['2008-03-01T10:30', 16],
    ['2008-04-01T00:00', 32],
  ])
  const sumOver = (window: { readonly [option: string]: Json }) => yieldsOf(over('sum', window), rows)

  it('of hours reach back from the microsecond, and leave out what is as old as they are long', () => {
    expect(sumOver({ hours: 1 })).toEqual([1, 2, 4, 8, 20, 40])
    expect(sumOver({ hours: 24 })).toEqual([1, 3, 6, 8, 22, 40])
  })

  it('of months are those of the calendar, all of them, whatever the day of the record', () => {
    expect(sumOver({ months: 1 })).toEqual([1, 2, 6, 14, 30, 32])
    expect(sumOver({ months: 2 })).toEqual([1, 3, 7, 15, 31, 62])
  })

  it('of what is older than some days have what a window of these days leaves behind it', () => {
    expect(sumOver({ olderThanDays: 1 })).toEqual([null, 1, 1, 7, 1, 31])
    expect(sumOver({ olderThanDays: 31 })).toEqual([null, null, null, 1, null, 23])
  })

  it('of all have everything that came so far', () => {
    expect(sumOver({ all: true })).toEqual([1, 3, 7, 15, 31, 63])
  })
})

describe('operators of other kinds', () => {
  it('pick the earliest and the latest by when they came', () => {
    const words = ['pear', null, 'apple', 'fig', null]
    expect(yields(over('first', { last: 3 }), words, [], { kind: 'text' })).toEqual(['pear', 'pear', 'pear', 'apple', 'apple'])
    expect(yields(over('last', { last: 2 }), words, [], { kind: 'text' })).toEqual(['pear', 'pear', 'apple', 'fig', 'fig'])
    expect(yields(over('first', { days: 2 }), words, [5, 5, 6, 5, 7], { kind: 'text' })).toEqual(['pear', 'pear', 'pear', 'pear', 'apple'])
    expect(yields(over('last', { all: true }), [true, null, false], [], { kind: 'flag' })).toEqual([true, true, false])
  })

  it('count different values, and list them in order, cut at a whole one', () => {
    const words = ['b', 'ä', 'b', null, 'a, c', '\uffee', '😀']
    expect(yields(over('distinct', { all: true }), words, [], { kind: 'text' })).toEqual([1, 2, 2, 2, 3, 4, 5])
    const list = (bytes: number) => yields(over('list', { all: true, bytes }), words, [], { kind: 'text' }).at(-1)
    expect(list(30)).toBe('a, c, b, ä, \uffee, 😀')
    expect(list(22)).toBe('a, c, b, ä, \uffee, 😀')
    expect(list(21)).toBe('a, c, b, ä, \uffee, …')
    expect(list(19)).toBe('a, c, b, ä, …')
    expect(list(5)).toBe('…')
    expect(yields(over('list', { last: 3, bytes: 40 }), [20, 3, -1.5], []).at(-1)).toBe('-1.5, 3, 20')
    const cents = [1250n, 5n].map((over) => ({ over, under: 10_000n }))
    expect(yields(over('list', { last: 3, bytes: 40 }), cents, [], { kind: 'decimal' }).at(-1)).toBe('0.0005, 0.1250')
    expect(yields(over('list', { last: 3, bytes: 40 }), [0, 13_879], [], { kind: 'date' }).at(-1)).toBe('1970-01-01, 2008-01-01')
  })

  it('take the nearest rank, of a share as it is written', () => {
    const hundred = everyRow(100).map((row) => row + 1)
    const last = (p: number) => yields(over('quantile', { all: true, p }), hundred).at(-1)
    expect([0, 0.07, 0.0701, 0.5, 0.9, 1].map(last)).toEqual([1, 7, 8, 50, 90, 100])
    expect(median('x', { last: 5 }).spec).toEqual({ op: 'quantile', of: 'x', last: 5, p: 0.5 })
    expect(yields(over('quantile', { all: true, p: 0.5 }), [2n ** 62n, 3n, -(2n ** 63n)], [], { kind: 'integer' })).toEqual([
      2n ** 62n,
      3n,
      3n,
    ])
  })

  it('say how long ago a value came', () => {
    const rows = atTime([
      ['2008-03-01T09:00', null],
      ['2008-03-01T10:00', 4],
      ['2008-03-02T09:30', null],
      ['2008-03-01T04:00', null],
      ['2008-03-05T00:00', 1],
    ])
    expect(yieldsOf(over('since', { unit: 'days' }), rows)).toEqual([null, 0, 1, 0, 0])
    expect(yieldsOf(over('since', { unit: 'hours' }), rows)).toEqual([null, 0, 23.5, -6, 0])
  })

  it('are exact to the last digit, and null where their type has no room', () => {
    const most = 2n ** 63n - 1n
    expect(yields(over('sum', { last: 2 }), [most, 1n, -1n, most], [], { kind: 'integer' })).toEqual([most, null, 0n, most - 1n])
    const digits = (over: bigint) => ({ over, under: 10n ** 4n })
    const nines = 10n ** 38n - 1n
    const decimals = [nines, 1n, -1n, 7n].map(digits)
    expect(yields(over('sum', { last: 2 }), decimals, [], { kind: 'decimal' })).toEqual([nines, null, 0n, 6n])
    expect(yields(over('mean', { last: 2, round: 4 }), decimals, [], { kind: 'decimal' })).toEqual([nines, 10n ** 38n / 2n, 0n, 3n])
    expect(yields(over('mean', { last: 2, round: 5 }), decimals, [], { kind: 'decimal' })).toEqual([null, null, 0n, 30n])
    expect(yields(over('mean', { last: 3 }), [true, false, true], [], { kind: 'flag' })).toEqual([1, 0.5, 2 / 3])
  })
})

describe('large windows', () => {
  it.each(['min', 'max', 'mean', 'count', 'last'])('%s over ten thousand records equals the plain one', (op) => {
    const rows = 30_000
    const inputs = Array.from({ length: rows }, (_, row): number | null => (row % 11 === 3 ? null : ((row * 7919) % 20_011) - row / 4))
    const spec = over(op, { last: 10_000, round: 2 })
    const found = yields(spec, inputs, [], { cuts: [9_999, 10_000, 10_001, 25_000], saving: true })
    for (let row = 0; row < rows; row += 1_499) expect(found[row]).toBe(exactAt(spec, kinds.number.field, came(inputs), row))
  })

  it.each([over('quantile', { last: 5_000, p: 0.3 }), over('quantile', { days: 20, p: 0.9 }), over('distinct', { all: true })])(
    'with thousands of different values equal the plain one: %j',
    (spec) => {
      const all = came(
        everyRow(12_000).map((row) => (row % 11 === 3 ? null : (row * 7919) % 9_011)),
        everyRow(12_000).map((row) => Math.floor(row / 200) - (row % 50 === 0 ? 9 : 0)),
      )
      const found = yieldsOf(spec, all, { cuts: [4_999, 9_000], saving: true })
      for (let row = 0; row < all.length; row += 499) expect(found[row]).toBe(exactAt(spec, kinds.number.field, all, row))
    },
  )
})

describe('operators', () => {
  it('say what they mean in fractions that share no code with what computes them', () => {
    expect(readFileSync('feature-defs/fractions.ts', 'utf8')).not.toMatch(/\bimport\b/)
  })

  it.each(
    Object.entries({
      count: '401fc0d58b69f4a4',
      sum: '39fb50ef91788581',
      mean: '39fb50ef91788581',
      stddev: 'f2b64110a3c2c1f3',
      min: 'af5a960e2f4b8e6c',
      max: '223e552ce4bdf119',
      last: '44784b170ae25230',
      ema: '98267bea1074b37e',
    }),
  )('save states of %s as the bytes that stores of before hold', (op, digest) => {
    const hash = createHash('sha256')
    const before = ['last', 'days', 'span']
    for (const [, spec] of specs.filter(([, spec, kind]) => spec.op === op && kind === 'number' && before.some((name) => name in spec))) {
      const computation = computationOf(spec, kinds.number.field)
      const state = computation.init()
      edges.concat(edges.map((value) => value / 3)).forEach((value, row) => {
        const input = numbers([value, row % 3 === 0 ? null : row * 1.25])
        computation.run(state, input, Int32Array.of(14_000 + row, 13_990 + row * 2), new Float64Array(2), 0, 2)
        hash.update(savedBy(computation, state))
      })
    }
    expect(hash.digest('hex').slice(0, 16)).toBe(digest)
  })

  it('read the column of the field as it is, texts too', () => {
    const longest = defineOperator({
      op: 'longest',
      gives: { text: aNumber },
      reads: (column) => column as TextColumn,
      params: {},
      windows: {
        last: (): Computation<{ most: number }, TextColumn> => ({
          init: () => ({ most: 0 }),
          run(state, { starts, ends }, places, out, from, to) {
            for (let row = from; row < to; row++) out[row] = state.most = Math.max(state.most, ends[row]! - starts[row]!)
          },
          put: () => {},
          load: () => ({ most: 0 }),
          mostBytes: () => 0,
        }),
      },
      exact: (values) => Math.max(...values.map(({ length }) => length)),
    })
    const computation = longest.windows.last(9, {}, kinds.text.field)
    const out = new Float64Array(3)
    computation.run(computation.init(), textColumn(['ab', 'abcd', 'abc']), [], out, 0, 3)
    expect([...out]).toEqual([2, 4, 4])
    expect(longest('note', { last: 9 }).spec).toEqual({ op: 'longest', of: 'note', last: 9 })
    expect(longest.exact(['ab', 'abcd', 'abc'], { last: 9 }, { at: [], now: { row: 0, day: 0 } }, kinds.text.field)).toBe(4)
  })

  it('are one file each, and each file is in the list', () => {
    expect(readdirSync('feature-defs/operators')).toEqual(operators.map(({ op }) => `${op}.ts`))
  })

  it('are refused by name when this version has none of that name', () => {
    expect(() => operatorOf({ op: 'mode', of: 'x', last: 3 } as unknown as OperatorSpec)).toThrow(Problem)
  })

  it('refuse the saved state of another operator, or of a longer window', () => {
    const { field } = kinds.number
    const long = computationOf(over('mean', { last: 3 }), field)
    const state = long.init()
    long.run(state, numbers([1, 2, 3]), [], new Float64Array(3), 0, 3)
    expect(() => computationOf(ema(3), field).load(savedBy(long, state))).toThrow(/layout/)
    expect(() => computationOf(over('mean', { last: 2 }), field).load(savedBy(long, state))).toThrow(/3 records/)
  })
})
