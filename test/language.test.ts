/** Sets with keys of several fields and features of other kinds than numbers: in the stream, in the warehouse, and proved there. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadDefinitions } from '../config/definitions.ts'
import { kindsOf, operators, windowsOf } from '../feature-defs/known-operators.ts'
import { count, date, distinct, featureSet, first, last, list, max, median, number, record, since, text } from '../feature-defs/language.ts'
import { plan } from '../versions/plan.ts'
import { storeInMemory } from './driver/in-memory.ts'
import type { DrivenSet } from './driver/sets.ts'
import { mustBeDone, streamed } from './memory-steps.ts'

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

describe('docs/language.md', () => {
  const guide = readFileSync('docs/language.md', 'utf8')

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
