/** The engine: the loan features as they are declared, and the laws of its state, with keys and without. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { engine, type Engine } from '../feature-defs/engine.ts'
import { packState, pickStates, unpackState } from '../feature-defs/entries.ts'
import type { FeatureColumn } from '../feature-defs/feature-columns.ts'
import { fieldsRead, inputsOf as readInputs, type Inputs } from '../feature-defs/inputs.ts'
import { count, ema, featureSet, last, max, mean, stddev, sum, type Definition } from '../feature-defs/language.ts'
import { v0, v1, v2 } from '../examples/loans/loan-risk.ts'
import { textColumn } from '../feature-defs/values.ts'
import { date, flag, integer, number, record, text } from '../schemas/record.ts'
import { noFlag, wholeAt, type Column, type Columns, type IntegerColumn, type NumberColumn } from '../utilities/values/columns.ts'
import { table } from './table.ts'

const payment = record('payment', 'day', {
  account: text('Account', { bytes: 16 }),
  day: date('Day', { nullable: false }),
  amount: number('Amount'),
  note: text('Note', { bytes: 16 }),
})

const features = {
  mean3: mean('amount', { last: 3, round: 2 }),
  sum7d: sum('amount', { days: 7 }),
  max5: max('amount', { last: 5 }),
  spread7d: stddev('amount', { days: 7, round: 3 }),
  latest2d: last('amount', { days: 2 }),
  notes4: count('note', { last: 4 }),
  level: ema('amount', { span: 5, round: 4 }),
}
const keyless = featureSet({ name: 'payments', of: payment }, features).definition
const keyed = featureSet({ name: 'payments', of: payment, per: 'account' }, features).definition

/** The whole state of an engine that went on from these entries: the keys that it has met since, and those that it has not. */
const snapshotOf = (running: Engine, from: ReadonlyMap<string, Uint8Array>, keys: Iterable<string>): Map<string, Uint8Array> =>
  new Map([...new Set([...from.keys(), ...keys])].map((key) => [key, packState(running.statesOf(key))]))

const numbers = (values: readonly number[]): Column => ({ kind: 'number', values: Float64Array.from(values) })

/** A text of one byte, or null. */
const texts = (values: readonly number[]): Column => {
  const starts = Int32Array.from(values, (value, row) => (value === value ? row : -1))
  return { kind: 'text', bytes: new Uint8Array(values.length), starts, ends: starts.map((start) => start + 1) }
}

type Payment = { readonly account: string; readonly day: number; readonly amount: number; readonly note: number }

const inputsOf = (rows: readonly Payment[]): Inputs => ({
  count: rows.length,
  byName: new Map([
    ['amount', numbers(rows.map(({ amount }) => amount))],
    ['note', texts(rows.map(({ note }) => note))],
  ]),
  days: Int32Array.from(rows, ({ day }) => day),
  keys: rows.map(({ account }) => account),
})

type Entries = Map<string, Uint8Array>

const numbersIn = (columns: readonly FeatureColumn[]) => columns as readonly NumberColumn[]

/** Row by row, one value per feature. */
function push(running: Engine, rows: readonly Payment[]): number[][] {
  const columns = numbersIn(running.push(inputsOf(rows)))
  return rows.map((_, row) => columns.map(({ values }) => values[row]!))
}

const cutAt = (rows: readonly Payment[], cuts: readonly number[]) =>
  [0, ...cuts].map((from, piece) => rows.slice(from, cuts[piece] ?? rows.length))

const score = fc.integer({ min: 0, max: 900 })
const cents = fc.integer({ min: -99_999, max: 99_999 }).map((value) => value / 100)
const amount = fc.oneof(score, cents, fc.constantFrom(NaN, NaN, 1e300, 5e-324, -0, 1 / 3))
const paymentRow = fc.record({
  account: fc.constantFrom('', 'a', 'b', 'ключ', '__proto__'),
  day: fc.integer({ min: 14_000, max: 14_020 }),
  amount,
  note: fc.constantFrom(1, NaN),
})
const payments = fc.array(paymentRow, { maxLength: 120 }).chain((rows) =>
  fc.record({
    rows: fc.constant(rows),
    cuts: fc.array(fc.integer({ min: 0, max: rows.length }), { maxLength: 6 }).map((cuts) => cuts.sort((a, b) => a - b)),
  }),
)

const scores = (values: readonly (number | null | undefined)[]): Inputs => ({
  count: values.length,
  days: new Int32Array(values.length),
  byName: new Map([['risk_score', numbers(values.map((value) => value ?? NaN))]]),
})

describe('the loan features', () => {
  it('yield one column per feature, in the order they are declared', () => {
    const rows = table`
      risk_score | ma50    | ma100
      0          | 0       | 0
      614        | 307     | 307
      579        | 397.667 | 397.667
      -          | 397.667 | 397.667`
    const [ma50, ma100] = numbersIn(engine(v1.definition).push(scores(rows.map((row) => row['risk_score']))))
    expect([...ma50!.values]).toEqual(rows.map((row) => row['ma50']))
    expect([...ma100!.values]).toEqual(rows.map((row) => row['ma100']))
  })

  it('of a later version take over the state of those that did not change, and start the others empty', () => {
    const before = engine(v1.definition)
    before.push(scores([0, 611]))
    const after = engine(v2.definition, new Map([['', packState(pickStates(packState(before.statesOf('')), ['ma100']))]]))
    const [ma50, ma100] = numbersIn(after.push(scores([502])))
    expect([...ma50!.values]).toEqual([502])
    expect([...ma100!.values]).toEqual([371])
  })

  it('read the score and the date, and the key when there is one', () => {
    expect(fieldsRead(v0.definition)).toEqual(['application_date', 'risk_score'])
    expect(fieldsRead(keyed)).toEqual(['day', 'account', 'amount', 'note'])
  })
})

describe.each([
  ['without a key', keyless],
  ['per key', keyed],
] as const)('an engine %s', (_, definition: Definition) => {
  it('yields the same bits for any chunking', () => {
    fc.assert(
      fc.property(payments, ({ rows, cuts }) => {
        const chunked = engine(definition)
        expect(cutAt(rows, cuts).flatMap((piece) => push(chunked, piece))).toEqual(push(engine(definition), rows))
      }),
    )
  })

  it('resumes from a snapshot as if never stopped', () => {
    fc.assert(
      fc.property(payments, ({ rows, cuts }) => {
        let state: Entries = new Map()
        const found = cutAt(rows, cuts).flatMap((piece) => {
          const resumed = engine(definition, state)
          const values = push(resumed, piece)
          state = snapshotOf(resumed, state, resumed.changedKeys())
          return values
        })
        const whole = engine(definition)
        expect(found).toEqual(push(whole, rows))
        expect(state).toEqual(snapshotOf(whole, new Map(), whole.changedKeys()))
      }),
    )
  })

  it('resumes from its accumulated changes as if never stopped', () => {
    fc.assert(
      fc.property(payments, ({ rows, cuts }) => {
        const saved: Entries = new Map()
        const running = engine(definition)
        const found = cutAt(rows, cuts).flatMap((piece, index) => {
          const values = push(index % 2 === 0 ? running : engine(definition, new Map(saved)), piece)
          if (index % 2 === 1) push(running, piece)
          for (const [key, entry] of running.changes()) saved.set(key, entry)
          return values
        })
        expect(found).toEqual(push(engine(definition), rows))
        expect(saved).toEqual(snapshotOf(running, new Map(), saved.keys()))
      }),
    )
  })

  it('says nothing has changed when nothing has', () => {
    const running = engine(definition)
    push(running, [])
    expect(running.changes()).toEqual(new Map())
    push(running, [{ account: '', day: 1, amount: 5, note: 1 }])
    expect([...running.changes().keys()]).toEqual([''])
    expect(running.changes()).toEqual(new Map())
    expect(engine(definition, snapshotOf(running, new Map(), [''])).changes()).toEqual(new Map())
  })
})

describe('an engine per key', () => {
  it('equals one engine without a key for every key', () => {
    fc.assert(
      fc.property(payments, ({ rows }) => {
        const apart = new Map([...new Set(rows.map(({ account }) => account))].map((account) => [account, engine(keyless)]))
        expect(push(engine(keyed), rows)).toEqual(rows.map((row) => push(apart.get(row.account)!, [row])[0]))
      }),
    )
  })

  it('names only the keys that changed', () => {
    const running = engine(keyed)
    const one = (account: string): Payment => ({ account, day: 1, amount: 1, note: 1 })
    push(running, [one('a'), one('b')])
    expect([...running.changes().keys()]).toEqual(['a', 'b'])
    push(running, [one('b'), one('c'), one('b')])
    expect([...running.changes().keys()]).toEqual(['b', 'c'])
    expect(['a', 'b', 'c', 'd'].filter((key) => running.statesOf(key).length > 0)).toEqual(['a', 'b', 'c'])
  })

  it('keeps the entries of keys that it has not met', () => {
    const first = engine(keyed)
    push(first, [{ account: 'a', day: 1, amount: 1, note: 1 }])
    const second = engine(keyed, first.changes())
    push(second, [{ account: 'b', day: 1, amount: 2, note: 1 }])
    expect(second.statesOf('a')).toEqual(first.statesOf('a'))
  })

  it('of several fields tells all combinations of their values apart', () => {
    const fields = { day: date({ nullable: false }), a: text({ bytes: 9 }), b: text({ bytes: 9 }), n: integer(), paid: flag() }
    const part = fc.option(fc.constantFrom('', 'a', ',', '\\', '\\N', 'a,', ',a', 'N', '\\,'))
    const row = fc.tuple(part, part, fc.option(fc.bigInt({ min: 2n ** 60n, max: 2n ** 60n + 3n })), fc.option(fc.boolean()))
    const { definition } = featureSet(
      { name: 's', of: record('r', 'day', fields), per: ['a', 'b', 'n', 'paid'] },
      { c: count('day', { all: true }) },
    )
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const wide = new Map(rows.flatMap(([, , n], at) => (n === null ? [] : [[at, n] as const])))
        const columns: Columns = {
          count: rows.length,
          byName: new Map<string, Column>([
            ['day', { kind: 'date', days: new Int32Array(rows.length) }],
            ['a', textColumn(rows.map(([a]) => a ?? NaN))],
            ['b', textColumn(rows.map(([, b]) => b ?? NaN))],
            ['n', { kind: 'integer', values: Float64Array.from(rows, ([, , n]) => (n === null ? NaN : Number(n))), wide }],
            ['paid', { kind: 'flag', values: Uint8Array.from(rows, ([, , , paid]) => (paid === null ? noFlag : Number(paid))) }],
          ]),
        }
        expect(fieldsRead(definition)).toEqual(['day', 'a', 'b', 'n', 'paid'])
        const [counts] = numbersIn(engine(definition).push(readInputs(definition, columns)))
        const name = ([a, b, n, paid]: (typeof rows)[number]) => JSON.stringify([a, b, String(n), paid])
        expect([...counts!.values]).toEqual(
          rows.map((one, at) => rows.slice(0, at + 1).filter((other) => name(other) === name(one)).length),
        )
      }),
    )
  })

  it('says how many values had no room, once', () => {
    const of = record('r', 'day', { day: date({ nullable: false }), n: integer() })
    const { definition } = featureSet({ name: 's', of }, { total: sum('n', { all: true }) })
    const running = engine(definition)
    const wide = new Map([0, 1, 2].map((row) => [row, 2n ** 62n] as const))
    const n: Column = { kind: 'integer', values: new Float64Array(3).fill(2 ** 62), wide }
    const [totals] = running.push({ count: 3, days: new Int32Array(3), byName: new Map([['n', n]]) })
    expect([0, 1, 2].map((row) => wholeAt(totals as IntegerColumn, row))).toEqual([2n ** 62n, null, null])
    expect([running.beyond(), running.beyond()]).toEqual([2, 0])
  })

  it('needs the keys', () => {
    const { keys: _, ...bare } = inputsOf([{ account: 'a', day: 1, amount: 1, note: 1 }])
    expect(() => engine(keyed).push(bare)).toThrow(/payments is per account/)
  })
})

describe('entries of state', () => {
  const bytes = (...values: number[]) => Uint8Array.from(values)

  it('hold every feature under its name', () => {
    const states = new Map([
      ['ma50', bytes(1, 2, 3)],
      ['größe', bytes()],
      ['long', new Uint8Array(100_000).fill(7)],
    ])
    expect(unpackState(packState(states))).toEqual(states)
  })

  it('are inherited by name', () => {
    expect(
      pickStates(
        packState([
          ['x', bytes(1)],
          ['y', bytes(2)],
        ]),
        ['x', 'z'],
      ),
    ).toEqual([['x', bytes(1)]])
    expect(pickStates(packState([['y', bytes(3)]]), ['x', 'z'])).toEqual([])
  })

  it('are refused when they are cut short or in an unknown layout', () => {
    const entry = packState([['x', bytes(1, 2, 3)]])
    expect(() => unpackState(entry.subarray(0, entry.length - 1))).toThrow(/ends too early/)
    expect(() => unpackState(bytes(99))).toThrow(/layout 99/)
  })

  it('leave features out that the definition does not have', () => {
    const both = engine(v1.definition)
    both.push(scores([0, 611]))
    expect(
      engine(v0.definition, both.changes())
        .statesOf('')
        .map(([name]) => name),
    ).toEqual(['ma50'])
  })
})
