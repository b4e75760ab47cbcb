/**
 * The engine over facts: rows of changes and of ticks equal a model that works everything out anew, however they are cut, saved and read.
 */
import { describe, expect, it } from 'vitest'
import type { DueChange, FindDue } from '../feature-defs/facts/dues.ts'
import { count, distinct, featureSet, first, last, list, max, mean, median, sum, type Definition } from '../feature-defs/language.ts'
import { makerOf } from '../feature-defs/maker.ts'
import type { Made, Maker } from '../feature-defs/made.ts'
import { keysOf } from '../feature-defs/keys.ts'
import { columnOf, pick, type Columns } from '../utilities/values/columns.ts'
import { values } from '../feature-defs/takes.ts'
import { textsIn, type Value as HeldValue } from '../feature-defs/values.ts'
import { valuesIn, type Value } from './exact.ts'
import { chanceOf, columnsOfFacts, messagesByChance, saleByDay, saleByMoment, type FactMessage, type FactValues } from './fact-messages.ts'
import { modelOf, type RowExpected } from './fact-model.ts'
import type { FeatureColumn } from '../feature-defs/feature-columns.ts'
import type { FactSchema } from '../schemas/fact.ts'

const features = {
  owing: sum('amount', { all: true, when: 'unpaid' }),
  overdue: sum('amount', { olderThanDays: 30, when: 'unpaid' }),
  share: mean('unpaid', { all: true, round: 4 }),
  recent: count('item', { days: 7 }),
  items: distinct('item', { days: 20 }),
  ten: mean('amount', { last: 3, round: 2 }),
  newest: last('item', { all: true }),
  oldest: first('amount', { days: 9 }),
  names: list('item', { months: 2, bytes: 20 }),
  middle: median('amount', { months: 1, round: 2 }),
  most: max('amount', { days: 14, when: 'unpaid' }),
}
const perAccount = featureSet({ name: 'by_account', of: saleByDay, per: 'account' }, features).definition
const perBoth = featureSet({ name: 'by_both', of: saleByDay, per: ['account', 'item'] }, features).definition
const keyless = featureSet({ name: 'of_all', of: saleByDay }, features).definition
const byMoment = featureSet(
  { name: 'by_moment', of: saleByMoment, per: 'account' },
  { ...features, hours: sum('amount', { hours: 30 }), latest: last('amount', { hours: 50 }) },
).definition
/** Without any date, ticks are nothing to it. */
const timeless = featureSet({ name: 'timeless', of: saleByDay, per: 'item' }, { owing: features.owing, ten: features.ten }).definition

/** What of a store an engine goes on from. */
function keptIn() {
  const states = new Map<string, Uint8Array>()
  const dues = new Map<string, Set<string>>()
  const findDue: FindDue = async (until) =>
    [...dues].flatMap(([date, keys]) => (date <= until ? [...keys].map((key) => ({ key, date, own: true })) : []))
  return {
    past: (tick: number | null) => ({ from: states, tick, findDue }),
    save(maker: Maker) {
      for (const [key, entry] of maker.changes()) states.set(key, entry)
      for (const { key, date, isDue } of maker.dueChanges() as readonly DueChange[]) {
        const keys = dues.get(date) ?? new Set()
        if (isDue) keys.add(key)
        else keys.delete(key)
        if (keys.size > 0) dues.set(date, keys)
        else dues.delete(date)
      }
    },
  }
}

type Cuts = { readonly cuts: readonly number[]; readonly reopens: (cut: number) => boolean }

/** Pushes the messages in batches that end at the cuts; at some of them another engine goes on from what is kept. */
async function pushed(definition: Definition, messages: readonly FactMessage[], { cuts, reopens }: Cuts) {
  const all = columnsOfFacts(definition.record as FactSchema, messages)
  const kept = keptIn()
  let maker = makerOf(definition, kept.past(null))
  const rows: RowFound[] = []
  let from = 0
  for (const cut of [...cuts, messages.length]) {
    const batch = pick(
      all,
      Int32Array.from({ length: cut - from }, (_, i) => from + i),
    )
    rows.push(...rowsIn(definition, await maker.push(batch)))
    if (reopens(cut)) {
      kept.save(maker)
      maker = makerOf(definition, kept.past(maker.tick()))
    }
    from = cut
  }
  return rows
}

type RowFound = RowExpected & { readonly groupEnd: boolean }

const heldIn = (columns: Columns, name: string, row: number): HeldValue => values(columns.byName.get(name) as FeatureColumn)[row]!

function rowsIn({ record, per }: Definition, { records, values: columns }: Made): RowFound[] {
  const keys = per === null ? undefined : keysOf(records, per)
  const changes = textsIn(columnOf(records, '_change', 'text'))
  const features = columns.map(valuesIn)
  return Array.from({ length: records.count }, (_, row) => ({
    seq: columnOf(records, '_seq', 'int').values[row]!,
    change: changes[row] as string,
    known: columnOf(records, '_known_ts', 'long').values[row]!,
    key: keys?.[row] ?? '',
    fields: Object.fromEntries(Object.keys(record.fields).map((name) => [name, heldIn(records, name, row)])),
    features: features.map((some): Value => some[row]!),
    groupEnd: columnOf(records, 'group_end', 'flag').values[row] === 1,
  }))
}

const whole = ({ record }: Definition, { fields, ...row }: RowExpected): RowExpected => ({
  ...row,
  fields: Object.fromEntries(Object.keys(record.fields).map((name) => [name, fields[name] ?? NaN])) as FactValues,
})

const expected = (definition: Definition, messages: readonly FactMessage[]) => {
  const model = modelOf(definition)
  return messages.flatMap((message) => model(message).map((row) => whole(definition, row)))
}

const withoutEnds = (rows: readonly RowFound[]) => rows.map(({ groupEnd: _, ...row }) => row)

const sets = [
  ['per account', perAccount],
  ['per account and item', perBoth],
  ['without a key', keyless],
  ['per account, by the microsecond', byMoment],
  ['without a window of time', timeless],
] as const

describe.each(sets)('a set over facts %s', (_, definition) => {
  const messagesOf = (seed: number, count = 120) => messagesByChance(seed, { fact: definition.record as FactSchema, messages: count })

  it('has a row of each change and of each key that a tick changes, as worked out anew', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const messages = messagesOf(seed)
      const rows = await pushed(definition, messages, { cuts: [], reopens: () => false })
      expect({ seed, rows: withoutEnds(rows) }).toEqual({ seed, rows: expected(definition, messages) })
    }
  })

  it('has the same rows, however its changes are cut and wherever it goes on from what was kept', async () => {
    for (let seed = 20; seed < 35; seed++) {
      const messages = messagesOf(seed, 90)
      const below = chanceOf(seed)
      const one = await pushed(definition, messages, { cuts: [], reopens: () => false })
      const ends = messages.flatMap(({ groupEnd }, i) => (groupEnd ? [i + 1] : []))
      const cuts = ends.filter(() => below(3) === 0)
      const other = await pushed(definition, messages, { cuts, reopens: () => below(2) === 0 })
      expect({ seed, rows: other }).toEqual({ seed, rows: one })
      const each = await pushed(definition, messages, { cuts: messages.map((_, i) => i + 1), reopens: () => true })
      expect({ seed, rows: withoutEnds(each) }).toEqual({ seed, rows: withoutEnds(one) })
    }
  })

  it('ends a group with its last row', async () => {
    const messages = messagesOf(7)
    const rows = await pushed(definition, messages, { cuts: [], reopens: () => false })
    const groupOf = new Map<number, number>()
    let group = 0
    for (const { seq, groupEnd } of messages) {
      groupOf.set(seq, group)
      if (groupEnd) group++
    }
    rows.forEach(({ seq, groupEnd }, i) => {
      const next = rows[i + 1]
      expect({ seq, groupEnd }).toEqual({ seq, groupEnd: next === undefined || groupOf.get(next.seq) !== groupOf.get(seq) })
    })
  })
})

describe('a tick', () => {
  const fact = saleByDay
  const factOn = (i: number, seq: number): FactMessage => ({
    seq,
    known: BigInt(i) * 86_400_000_000_000n,
    key: `l${seq}`,
    before: null,
    after: { account: `a${i}`, item: 1, amount: 100, unpaid: 1, issued: i },
    tick: null,
    groupEnd: true,
  })
  const tickOn = (tick: number, seq: number): FactMessage => ({
    seq,
    known: BigInt(tick) * 86_400_000_000_000n,
    key: null,
    before: null,
    after: null,
    tick,
    groupEnd: true,
  })

  it('looks at the keys whose values may change by it, and at no other, however many are kept', async () => {
    const definition = featureSet({ name: 'few', of: fact, per: 'account' }, { recent: count('item', { days: 30 }) }).definition
    const kept = keptIn()
    const first = makerOf(definition, kept.past(null))
    await first.push(
      columnsOfFacts(
        fact,
        Array.from({ length: 1000 }, (_, i) => factOn(20_000 + i, i + 1)),
      ),
    )
    kept.save(first)
    const { from, ...past } = kept.past(null)
    const looked: string[] = []
    const looking = { get: (key: string) => (looked.push(key), from.get(key)) }
    const second = makerOf(definition, { ...past, from: looking })
    // The window of day 20,000 + i is left on day 20,030 + i.
    const changedBy = async (tick: number, seq: number) => {
      looked.length = 0
      const rows = rowsIn(definition, await second.push(columnsOfFacts(fact, [tickOn(tick, seq)])))
      kept.save(second)
      return { changed: rows.map(({ key }) => key), looked: [...looked] }
    }
    const three = ['a20000', 'a20001', 'a20002']
    expect(await changedBy(20_032, 1001)).toEqual({ changed: three, looked: three })
    expect(await changedBy(20_032, 1002)).toEqual({ changed: [], looked: [] })
    expect(await changedBy(20_031, 1003)).toEqual({ changed: [], looked: [] })
    expect(await changedBy(20_033, 1004)).toEqual({ changed: ['a20003'], looked: ['a20003'] })
    expect((await changedBy(21_100, 1005)).changed).toHaveLength(996)
    expect(await changedBy(30_000, 1006)).toEqual({ changed: [], looked: [] })
  })

  it('leaves facts of a time to come outside of every window of time until it reaches them', async () => {
    const definition = featureSet(
      { name: 'to_come', of: fact, per: 'account' },
      {
        recent: count('item', { days: 30 }),
        month: count('item', { months: 1 }),
        older: count('item', { olderThanDays: 1 }),
        all: count('item', { all: true }),
      },
    ).definition
    const maker = makerOf(definition)
    const future = { ...factOn(20_010, 1), known: 20_000n * 86_400_000_000_000n }
    const rows = rowsIn(
      definition,
      await maker.push(columnsOfFacts(fact, [future, tickOn(20_009, 2), tickOn(20_010, 3), tickOn(20_011, 4), tickOn(20_070, 5)])),
    )
    expect(rows.map(({ seq, features }) => [seq, ...features])).toEqual([
      [1, 0, 0, 0, 1],
      [3, 1, 1, 0, 1],
      [4, 1, 1, 1, 1],
      [5, 0, 0, 1, 1],
    ])
  })
})
