/** Sets with keys of several fields and features of other kinds than numbers: in the stream, in the warehouse, and proved there. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backfill } from '../batch/backfill.ts'
import { computedText } from '../commands/consume.ts'
import { loadDefinitions } from '../config/definitions.ts'
import type { FeatureColumn } from '../feature-defs/feature-columns.ts'
import type { NamedFeature } from '../feature-defs/feature-set.ts'
import { kindsOf, operators, windowsOf } from '../feature-defs/known-operators.ts'
import {
  count,
  date,
  decimal,
  distinct,
  featureSet,
  first,
  flag,
  integer,
  last,
  list,
  max,
  median,
  number,
  record,
  since,
  sum,
  text,
  timestamp,
} from '../feature-defs/language.ts'
import { consumeInflow } from '../use-cases/consume.ts'
import { dayText } from '../utilities/values/day.ts'
import { decimalText } from '../utilities/values/decimal-text.ts'
import { isoText } from '../utilities/values/timestamp.ts'
import { plan } from '../versions/plan.ts'
import { storeInMemory } from './driver/in-memory.ts'
import type { DrivenSet } from './driver/sets.ts'
import { exact, valuesIn, type Came } from './exact.ts'
import { mustBeDone, streamed } from './memory-steps.ts'
import { randomFrom } from './seeded.ts'

const dayMicros = 86_400_000_000n

const sale = record('sale', 'day', {
  day: date('Day', { nullable: false }),
  shop: text('Shop', { bytes: 8 }),
  item: text('Item', { bytes: 20 }),
  paid: date('Paid'),
  amount: number('Amount'),
})
const v0 = featureSet(
  { name: 'sales', of: sale, per: ['shop', 'item'] },
  {
    n: count('day', { all: true }),
    first_amount: first('amount', { months: 2 }),
    paid_last: last('paid', { last: 2 }),
    paid_most: max('paid', { all: true }),
    amounts: list('amount', { all: true, bytes: 9 }),
    idle: since('paid', { unit: 'days' }),
  },
)
const v1 = v0.add({ middle: median('amount', { olderThanDays: 20 }), amounts_seen: distinct('amount', { all: true }) })
const chain = [v0, v1].map(({ definition }) => definition)
const set: DrivenSet = { set: 'sales', per: ['shop', 'item'], chain, text: '' }

const csv = `Day,Shop,Item,Paid,Amount
2007-11-30,a,"x,y",2007-12-02,5
2007-12-31,a,"x,y",,7
2008-01-01,a,"x,y",2008-01-05,1.5
2008-01-02,"a,x",y,2008-01-02,9
2008-02-01,,y,,3
2008-02-10,a,"x,y",,20000
`

describe('a set that is per two fields', () => {
  it('has dates and texts as features, in batch and stream, proves them, and keeps its keys apart', async () => {
    const store = storeInMemory(set, 3, csv)
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2007] })
    await streamed(store, [2008, 2008])
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'backfill' })
    const rows = (await store.look()).views.get(1)!
    const features = ['n', 'first_amount', 'paid_last', 'paid_most', 'amounts', 'idle', 'middle', 'amounts_seen']
    expect(rows.map((row) => features.map((name) => row[name]))).toEqual([
      [1, 5, '2007-12-02', '2007-12-02', '5', 0, null, 1],
      [2, 5, '2007-12-02', '2007-12-02', '5, 7', 31, 5, 2],
      [3, 7, '2008-01-05', '2008-01-05', '1.5, 5, 7', 0, 5, 3],
      [1, 9, '2008-01-02', '2008-01-02', '9', 0, null, 1],
      [1, 3, null, null, '3', null, null, 1],
      [4, 1.5, '2008-01-05', '2008-01-05', '1.5, …', 40, 5, 4],
    ])
    for (const version of [0, 1]) expect(await store.run({ do: 'verify', version })).toMatchObject({ said: { equal: true } })
  })

  it('is planned with what its largest key takes', async () => {
    const store = storeInMemory(set, 3, csv)
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
    const planned = () => plan(store.open(), { chain, version: 1, mode: 'backfill', partitions: 3 })
    expect((await planned()).largestKey).toBe(null)
    await mustBeDone(store, { do: 'backfill', years: [2007, 2008] })
    const { largestKey } = await planned()
    expect(largestKey!.key).toBe('a,x\\,y')
    expect(largestKey!.bytes).toBeGreaterThan(60)
  })
})

const order = record('order', 'placed', {
  placed: timestamp({ nullable: false }),
  account: text({ bytes: 8 }),
  region: integer(),
  due: date(),
  pieces: integer(),
  price: decimal({ digits: 30, scale: 3 }),
  weight: number(),
  note: text({ bytes: 9 }),
  paid: flag(),
})
/** Each operator of each kind of field, over windows that go round. */
const every = operators.flatMap((operator) =>
  kindsOf(operator).map((kind, at): NamedFeature => {
    const of = Object.keys(order.fields).findLast((name) => order.fields[name as keyof typeof order.fields].kind === kind)!
    const names = windowsOf(operator)
    const window = names[at % names.length]!
    const size = { last: 3, days: 2, hours: 30, months: 2, olderThanDays: 1, all: true, span: 3, unit: 'hours' }[window]
    const { round } = operator.gives[kind]!
    const told = { ...('p' in operator.params && { p: 0.4 }), ...('bytes' in operator.params && { bytes: 40 }) }
    const options = { ...told, ...(round === 'must' && { round: 2 }), ...(at % 3 === 0 && { when: 'paid' }) }
    return { name: `${operator.op}_of_${of}`, spec: { op: operator.op, of, [window]: size, ...options } }
  }),
)

describe('a set with every operator of every kind of field', () => {
  it('has in the warehouse what the oracle says, to the last digit, through batch, stream and another version', async () => {
    const random = randomFrom(14)
    const one = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!
    const moments = Array.from({ length: 90 }, (_, i) => BigInt(1_199_000_000 + i * 9_000 + Math.floor(random() * 9e4)) * 1_000_000n + 7n)
    const rows = moments
      .toSorted((x, y) => Number(x / dayMicros - y / dayMicros))
      .map((placed) => ({
        placed,
        account: one('a', 'b', null),
        region: one(1n, 2n ** 62n),
        due: one(13_900, 13_905, null),
        pieces: one(3n, -7n, 2n ** 62n, null),
        price: one(1_250n, 10n ** 29n + 1n, null),
        weight: one(0.1, 2.5, null),
        note: one('x', 'ä, y', null),
        paid: one(true, true, false, null),
      }))
    const cells = rows.map(({ placed, due, price, ...rest }) =>
      [isoText(placed), due === null ? null : dayText(due), price === null ? null : decimalText(price, 3), ...Object.values(rest)]
        .map((cell) => (cell === null ? '' : `"${String(cell)}"`))
        .join(','),
    )
    const csv = ['placed,due,price,account,region,pieces,weight,note,paid', ...cells, ''].join('\n')

    const base = featureSet({ name: 'orders', of: order, per: ['account', 'region'] }, { n: count('placed', { all: true }) }).definition
    const versions = [0, 1].map((version) => ({ ...base, version, features: version === 0 ? every.slice(0, 30) : every }))
    const store = storeInMemory({ set: 'orders', per: base.per, chain: versions, text: '' }, 2, csv)
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2007] })
    await streamed(store, [2008, 2008])
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'backfill' })
    expect(store.rejected).toEqual([])
    for (const version of [0, 1]) expect(await store.run({ do: 'verify', version })).toMatchObject({ said: { equal: true } })

    const plain = rows.map((row) => ({ ...row, price: row.price === null ? null : { over: row.price, under: 1_000n } }))
    const keyed = Map.groupBy(plain.keys(), (row) => `${plain[row]!.account} ${plain[row]!.region}`)
    let compared = 0
    for await (const found of store.open().warehouse.rows('orders', 1, { first: 1, last: rows.length })) {
      expect(found.count).toBe(rows.length)
      for (const { name, spec } of every) {
        const values = valuesIn(found.byName.get(name) as FeatureColumn)
        const field = order.fields[spec.of as keyof typeof order.fields]
        for (const own of keyed.values()) {
          const all = own.map((row): Came => {
            const { placed, paid } = plain[row]!
            const input = plain[row]![spec.of as keyof (typeof plain)[number]]
            return { input, day: Number(placed / dayMicros), micros: placed, part: spec['when'] === undefined || paid === true }
          })
          expect([name, own.map((row) => values[row])]).toEqual([name, exact(spec, field, all)])
          compared += own.length
        }
      }
    }
    expect(compared).toBe(every.length * rows.length)
  })
})

describe('values that have no room', () => {
  it('are null, and consume and backfill say how many there were', async () => {
    const total = record('total', 'day', { day: date({ nullable: false }), n: integer() })
    const { definition } = featureSet({ name: 'totals', of: total }, { sum: sum('n', { all: true }) })
    const most = 2n ** 63n - 1n
    const csv = `day,n\n2007-01-01,${most}\n2007-01-02,1\n2008-01-01,\n2008-01-02,-2\n`
    const store = storeInMemory({ set: 'totals', per: null, chain: [definition], text: '' }, 1, csv)
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
    const watch = { signal: new AbortController().signal, report: () => {}, note: () => {} }
    const ports = store.open()
    const asked = { ...watch, set: 'totals', years: [2007, 2007], strict: false, continue: false, by: 'a test' } as const
    const done = await backfill({ ...ports, source: ports.openSource('', ''), rejects: ports.rejects('totals') }, asked)
    expect(done.beyond).toBe(1)
    await mustBeDone(store, { do: 'produce', years: [2008, 2008] })
    const consumed = await consumeInflow(store.open(), { ...watch, follow: false, nothingYet: async () => '' })
    expect(consumed.beyond).toBe(1)
    expect(computedText(consumed)).toBe('computed 2 records, 1 value null for having more digits than there is room for')
    await mustBeDone(store, { do: 'sink' })
    expect((await store.look()).views.get(0)!.map((row) => row['sum'])).toEqual([most, null, null, most - 1n])
  })
})

describe('docs/your-own-data.md', () => {
  const guide = readFileSync('docs/your-own-data.md', 'utf8')

  it('has every word, with the fields that it takes, what it gives, its windows and its options', () => {
    const named = (words: readonly string[], all: number) => (words.length === all ? 'any' : words.join(', '))
    const lines = operators.map((operator) => {
      const results = Map.groupBy(kindsOf(operator), (kind) => operator.gives[kind]!.kind)
      const isItself = [...results].every(([result, kinds]) => kinds.length === 1 && kinds[0] === result)
      const gives = isItself ? [named(kindsOf(operator), 7)] : [...results].map(([result, kinds]) => `${named(kinds, 7)} → ${result}`)
      const params = Object.keys(operator.params).map((param) => `\`${param}\``)
      return `| \`${operator.op}\` | ${gives.join('; ')} | ${named(windowsOf(operator), 6)} | ${params.join(', ')} |`
    })
    const words = ['| word | of a field | over | options |', '|---|---|---|---|', ...lines].join('\n')
    expect(guide.split('\n\n').find((block) => block.startsWith('| word | of'))).toBe(words)
  })

  it('has an example that can be applied', () => {
    const example = /```ts\n(.*?)```/s.exec(guide)![1]!
    const file = join(mkdtempSync(join(tmpdir(), 'tidemark-language-')), 'definitions.ts')
    writeFileSync(file, example.replace("'tidemark'", `'${resolve('definitions.ts')}'`))
    return expect(loadDefinitions(file).then((sets) => [...sets.keys()])).resolves.toEqual(['account_items'])
  })
})
