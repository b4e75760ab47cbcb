/** Definitions that no store could take are refused when they are loaded, by name and with what to do; sets keep their order. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadDefinitions } from '../config/definitions.ts'
import { streamedSet } from '../commands/sets.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-definitions-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function load(text: string) {
  const file = join(folder, `definitions${++files}.ts`)
  const words =
    'count, date, decimal, ema, featureSet, flag, integer, list, max, mean, number, quantile, record, since, sum, text, timestamp'
  writeFileSync(file, `import { ${words} } from '${resolve('definitions.ts')}'\n${text}\n`)
  return loadDefinitions(file)
}

const field = `day: date('Day', { nullable: false }), amount: number('Amount')`
const sale = (more = '', name = 'sale', at = 'day') => `record('${name}', '${at}', { ${field}, ${more} })`
const set = (name: string, feature = `m: mean('amount', { last: 5 })`, of = sale()) =>
  `featureSet({ name: '${name}', of: ${of} }, { ${feature} })`
const one = (...words: Parameters<typeof set>) => `export const v0 = ${set(...words)}`

describe('a definition that could never be applied', () => {
  it.each<[string, string, string]>([
    [
      'a set named by a word of SQL',
      one('order'),
      'order@0: order is a word of SQL, which queries would have to quote. Give the set another name.',
    ],
    [
      'a set named like its record',
      one('sale'),
      'sale@0: the set is named like its record, and the registry has one schema for each name. Give one of the two another name.',
    ],
    [
      "a set named like another set's record",
      `${one('cash')}\nexport const w0 = ${set('sale', undefined, sale('', 'receipt'))}`,
      'sale@0: the set is named like the record of cash, and the registry has one schema for each name. Give one of the two another name.',
    ],
    [
      'a set named like the dead letters',
      one('dead_letter'),
      'dead_letter@0: dead_letter is a name that Tidemark gives itself. Give the set another name.',
    ],
    ['a set named like a topic', one('inflow'), 'inflow@0: inflow is a name that Tidemark gives itself. Give the set another name.'],
    [
      'a set named like a table of SQLite',
      one('sqlite_sales'),
      'feature set sqlite_sales: tables and views of other sets have names like that. Rename it, e.g. loan_risk.',
    ],
    [
      'two sets whose names differ in case',
      `${one('sales')}\nexport const w0 = ${set('Sales')}`,
      'feature set Sales: its name is not lower case letters, digits and _. Rename it, e.g. loan_risk.',
    ],
    [
      'a record named like the dead letters',
      one('sales', undefined, sale('', 'dead_letter')),
      'sales@0: the record dead_letter has a name that Tidemark gives itself. Give the record another name.',
    ],
    [
      'a record that no topic can be named after',
      one('sales', undefined, sale('', 'Sale of goods')),
      'sales@0: the name of the record Sale of goods is not lower case letters, digits and _. Give the record another name.',
    ],
    [
      "a record named like another one's dead letters",
      one('sales', undefined, sale('', 'sale_dead')),
      'sales@0: the record sale_dead is named like the dead letters of another one. Give the record another name.',
    ],
    [
      'a window of records and of days',
      one('sales', `m: mean('amount', { last: 5, days: 3 })`),
      'sales@0: feature m: its window is given twice, as last and as days. Keep last or days.',
    ],
    [
      'an option that the operator has not',
      one('sales', `m: max('amount', { last: 5, span: 3 })`),
      'sales@0: feature m: max has no option span. Its options are last, days, hours, months, olderThanDays, all, round, when.',
    ],
    [
      'a window for a moving average',
      one('sales', `m: ema('amount', { span: 5, last: 3 })`),
      'sales@0: feature m: ema has no option last. Its options are span, round, when.',
    ],
    [
      'no window',
      one('sales', `m: mean('amount', { round: 3 })`),
      'feature set sales: feature m: it has no window. ' +
        'Give it one, e.g. { last: 50 }, { days: 30 }, { months: 3 }, { olderThanDays: 30 } or { all: true }.',
    ],
    [
      'hours of a record that has only a date',
      one('sales', `m: mean('amount', { hours: 5 })`),
      'feature set sales: feature m: hours are counted from a timestamp, and day, which says when a sale happened, is none. ' +
        'Use days, or make day a timestamp() field.',
    ],
    [
      'a time in hours of a record that has only a date',
      one('sales', `m: since('amount', { unit: 'hours' })`),
      'feature set sales: feature m: hours are counted from a timestamp, and day, which says when a sale happened, is none. ' +
        'Use days, or make day a timestamp() field.',
    ],
    [
      'a time since without its unit',
      one('sales', `m: since('amount', {})`),
      'feature set sales: feature m: it has no window. Give it one, e.g. { unit: "days" }.',
    ],
    [
      'a flag that is none',
      one('sales', `m: mean('amount', { last: 5, when: 'amount' })`),
      'feature set sales: feature m: when: "amount" is no flag field of sale. Give the record a flag() field, and name it.',
    ],
    [
      'a flag that is not there',
      one('sales', `m: mean('amount', { last: 5, when: 'sent' })`, sale(`paid: flag()`)),
      'feature set sales: feature m: when: "sent" is no flag field of sale. Its flags are paid.',
    ],
    [
      'a mean of decimals without its places',
      one('sales', `m: mean('price', { last: 5 })`, sale(`price: decimal({ digits: 9, scale: 2 })`)),
      'feature set sales: feature m: mean of a decimal is a decimal, and nothing says of how many places. Give it one, e.g. { round: 2 }.',
    ],
    [
      'a decimal of more digits than any warehouse has',
      one('sales', undefined, sale(`price: decimal({ digits: 39, scale: 2 })`)),
      'sales@0: field price of sale: it has 39 digits, 2 of them behind the point. Use up to 38 digits, and no larger a scale.',
    ],
    [
      'a decimal with more digits behind the point than it has',
      one('sales', undefined, sale(`price: decimal({ digits: 2, scale: 3 })`)),
      'sales@0: field price of sale: it has 2 digits, 3 of them behind the point. Use up to 38 digits, and no larger a scale.',
    ],
    [
      'a rounded sum of integers',
      one('sales', `m: sum('pieces', { last: 5, round: 2 })`, sale(`pieces: integer()`)),
      'feature set sales: feature m: sum of an integer is exact, and round would do nothing. Leave round out.',
    ],
    [
      'a quantile without its share',
      one('sales', `m: quantile('amount', { last: 5 })`),
      'feature set sales: feature m: it has no p. Give it one, e.g. { p: 0.9 }.',
    ],
    [
      'a list that is cut too short',
      one('sales', `m: list('amount', { last: 5, bytes: 2 })`),
      'feature set sales: feature m: bytes is 2. Use a whole number from 3 to 65535.',
    ],
    [
      'a greatest text',
      one('sales', `m: max('shop', { last: 5 })`, sale(`shop: text({ bytes: 9 })`)),
      'feature set sales: feature m: max needs a number, integer, decimal, date or timestamp, shop is a text. ' +
        'Use a number, integer, decimal, date or timestamp field, count, distinct, first, last, list or since.',
    ],
    [
      'a feature named by a word of SQL',
      one('sales', `user: count('amount', { last: 5 })`),
      'sales@0: feature user: user is a word of SQL, which queries would have to quote. Give the feature another name.',
    ],
    [
      "a feature named like a row's own column",
      one('sales', `_version: count('amount', { last: 5 })`),
      'feature set sales: feature _version: the name is not lower case letters, digits and _. Rename it, e.g. ma50.',
    ],
    [
      'a feature named like the position',
      one('sales', `seq: count('amount', { last: 5 })`),
      'feature set sales: a feature cannot be called seq: a record has its position under that name. Choose another name.',
    ],
    [
      'a key that is no field',
      `export const v0 = featureSet({ name: 'sales', of: ${sale()}, per: 'shop' }, { m: mean('amount', { last: 5 }) })`,
      'feature set sales: per: sale has no field shop. Its fields are day, amount.',
    ],
    [
      'a key that has a field twice',
      `export const v0 = featureSet({ name: 'sales', of: ${sale()}, per: ['day', 'day'] }, { m: mean('amount', { last: 5 }) })`,
      `feature set sales: per: ["day","day"] is no key. Name a field, or several different ones: per: ['FIELD', 'FIELD'].`,
    ],
    [
      'a field named by a word of SQL',
      one('sales', undefined, sale(`group: text('Group', { bytes: 9 })`)),
      'sales@0: field group of sale: group is a word of SQL, which queries would have to quote. Rename it; its name in the file stays.',
    ],
    [
      'a field named like the position',
      one('sales', undefined, sale(`seq: number('Seq')`)),
      'sales@0: field seq of sale: a record has its position under that name. Rename it; its name in the file stays.',
    ],
    [
      "a field named like a row's own column",
      one('sales', undefined, sale(`_modified_ts: number('Modified')`)),
      'sales@0: field _modified_ts of sale: the name is not lower case letters, digits and _. Rename it; its name in the file stays.',
    ],
    [
      'a field in capitals',
      one('sales', undefined, sale(`Shop: number('Shop')`)),
      'sales@0: field Shop of sale: the name is not lower case letters, digits and _. Rename it; its name in the file stays.',
    ],
    ...[0, 70_000, 2.5, -1].map((bytes): [string, string, string] => [
      `a text of ${bytes} bytes`,
      one('sales', undefined, sale(`shop: text('Shop', { bytes: ${bytes} })`)),
      `sales@0: field shop of sale: bytes is ${bytes}. Use a whole number from 1 to 65535, the longest VARCHAR.`,
    ]),
    [
      'a date that may be empty as the time of a record',
      one('sales', undefined, sale(`paid: date('Paid')`, 'sale', 'paid')),
      'sales@0: paid, which says when a sale happened, may be empty. Give it { nullable: false }: a row without it is rejected.',
    ],
    [
      'a number as the time of a record',
      one('sales', undefined, sale('', 'sale', 'amount')),
      'sales@0: amount, which says when a sale happened, is not a date or timestamp field. Name a date or timestamp field.',
    ],
  ])('is refused when it is loaded: %s', async (_, text, message) => {
    await expect(load(text)).rejects.toMatchObject({ message })
  })

  it('is not what comes with Tidemark, or stands in its guide', async () => {
    expect([...(await loadDefinitions(undefined)).keys()]).toEqual(['loan_risk', 'loan_risk_2007'])
  })
})

describe('the sets of a definitions file', () => {
  it('stand in the order in which the file makes them, whatever they are exported as', async () => {
    const definitions = await load(`export const z0 = ${set('zebras')}
      export const z1 = z0.add({ n: count('amount', { last: 2 }) })
      export const a0 = ${set('apes')}`)
    expect([...definitions].map(([name, chain]) => [name, chain.length])).toEqual([
      ['zebras', 2],
      ['apes', 1],
    ])
    expect(streamedSet(definitions)).toBe('zebras')
  })
})
