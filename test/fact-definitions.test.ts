/** Tables and facts as they are defined: what is refused and with which words, what their fields are made of, and what names may be. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfig } from '../config/config.ts'
import { definitionsOf, factsIn, loadDefinitions, recordsIn, tablesIn } from '../config/definitions.ts'
import { label } from '../feature-defs/feature-set.ts'
import { ema, featureSet, since, sum } from '../feature-defs/language.ts'
import { fact } from '../schemas/fact.ts'
import { columnsJoined, joinedFields } from '../schemas/joined.ts'
import { date, decimal, flag, integer, record, text } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import type { Column } from '../utilities/values/columns.ts'
import { accounts, invoices, lines, saleLine, skus } from './sale-lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-facts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As plain JavaScript has them, where no compiler looks. */
const untyped = (value: unknown) => value as never
const id = { id: integer() }

describe('a table', () => {
  it('is its name, its key and its fields, of which those of the key are never null', () => {
    expect(lines).toEqual({
      name: 'lines',
      key: ['invoice_id', 'item_id'],
      fields: {
        invoice_id: { kind: 'integer', csv: 'invoice_id', nullable: false },
        item_id: { kind: 'text', bytes: 40, csv: 'item_id', nullable: false },
        quantity: { kind: 'integer', csv: 'quantity', nullable: true },
      },
    })
    expect(table('t', { key: 'id' }, { id: integer({ from: 'Id No' }) }).fields.id.csv).toBe('Id No')
  })

  it.each<[string, () => unknown, string]>([
    ['a name in capitals', () => table('Lines', { key: 'id' }, id), 'table Lines: its name is not lower case letters, digits and _. '],
    [
      'a key that is no field',
      () => table('t', { key: untyped('no') }, { ...id, more: flag() }),
      'table t: its key names no, and it has no such field. Its fields are id, more.',
    ],
    ['no key', () => table('t', { key: [] }, id), 'table t: its key is []. Name a field, or several different ones.'],
    ['a key twice', () => table('t', { key: ['id', 'id'] }, id), 'table t: its key is ["id","id"]. '],
    [
      'a field that is made',
      () => table('t', { key: 'id' }, { ...id, twice: integer({ sql: 'id * 2' }) }),
      'table t: field twice has sql. Make it in a fact: a table is as its source has it.',
    ],
  ])('is refused with %s', (_, make, reason) => expect(make).toThrow(reason))
})

const invoice = [invoices, 'invoice_id'] as const
const issued = date({ from: 'invoice.date_issued', nullable: false })
const of = (join: unknown, fields: Record<string, unknown> = {}, more: object = {}) =>
  fact('f', untyped({ of: lines, at: 'day', join, ...more }), untyped({ day: issued, ...fields }))

describe('a fact', () => {
  it('can be made of its row and of what that refers to, also by way of a join before', () =>
    expect([...columnsJoined(saleLine).keys()].join(' ')).toBe(
      'invoice_id item_id quantity invoice.invoice_id invoice.account_id invoice.date_issued invoice.date_paid ' +
        'account.account_id account.company_name sku.item_id sku.item_name sku.item_retail_price',
    ))

  it('has nulls where an optional join may find nothing, also in the key', () => {
    const joined = columnsJoined(of({ invoice, sku: [skus, 'item_id', { optional: true }] }))
    expect([joined.get('sku.item_id')?.nullable, joined.get('invoice.invoice_id')?.nullable]).toEqual([true, false])
  })

  it.each<[string, () => unknown, string]>([
    ['nothing that it is of', () => fact('f', untyped({ at: 'day' }), { day: date() }), 'fact f: what it is of is no table. '],
    [
      'something else that it is of',
      () => of({ invoice }, {}, { of: { name: 'payment', fields: {} } }),
      "fact f: what it is of is no table. Make one by table('name', { key }, { … }).",
    ],
    [
      'a record that it joins',
      () => of({ invoice, pay: [record('payment', 'day', { day: date({ nullable: false }) }), 'item_id'] }),
      'fact f: what it joins as pay is no table. ',
    ],
    [
      'a join with another option',
      () => of({ invoice: [invoices, 'invoice_id', { waitMs: 60_000 }] }),
      'fact f: the join invoice has no option waitMs. Its option is optional.',
    ],
    [
      'a join that is named in capitals',
      () => of({ invoice, Sku: [skus, 'item_id'] }),
      'fact f: the join Sku is not named by lower case letters, digits and _. Rename it.',
    ],
    [
      'too few columns for a key',
      () => of({ invoice, line: [lines, 'invoice_id'] }),
      'fact f: the join line gives invoice_id for the key of lines, which is invoice_id, item_id. Give one for each.',
    ],
    [
      'a join by a column that there is not',
      () => of({ invoice, sku: [skus, 'sku_id'] }),
      'fact f: the join sku is by sku_id, and there is no such column before it. There are invoice_id, item_id, quantity, invoice.',
    ],
    [
      'a join by a column of a later one',
      () => of({ account: [accounts, 'invoice.account_id'], invoice }),
      'fact f: the join account is by invoice.account_id, and there is no such column before it. There are invoice_id, item_id, quantity.',
    ],
    [
      'a join by a column of another kind',
      () => of({ invoice, sku: [skus, 'quantity'] }),
      'fact f: the join sku is by quantity, an integer, and item_id of skus is a text. Make them alike.',
    ],
    [
      'a join by a decimal of another scale',
      () =>
        of(
          { price: [table('prices', { key: 'p' }, { p: decimal({ digits: 9, scale: 3 }) }), 'p'] },
          { day: date({ nullable: false }) },
          { of: table('t', { key: 'id' }, { ...id, p: decimal({ digits: 9, scale: 2 }), day: date() }) },
        ),
      'fact f: the join price is by p, a decimal of scale 2, and p of prices is a decimal of scale 3. Make them alike.',
    ],
    [
      'a field of a column that there is not',
      () => of({ invoice }, { colour: text({ bytes: 9 }) }),
      'fact f: colour is colour, and there is no such column. There are invoice_id, item_id, quantity, invoice.invoice_id, ',
    ],
    [
      'a field of a join that there is not',
      () => of({ invoice }, { name: text({ bytes: 9, from: 'account.company_name' }) }),
      'fact f: name is account.company_name, and there is no such column. ',
    ],
    [
      'both from and sql',
      () => of({ invoice }, { n: integer({ from: 'quantity', sql: 'quantity' }) }),
      'fact f: n has both from and sql. ',
    ],
    [
      'sql that reads a column that no join has',
      () => of({ invoice }, { price: decimal({ digits: 9, scale: 2, sql: 'quantity * sku.item_retail_price' }) }),
      "price of f: sql 'quantity * sku.item_retail_price': sku.item_retail_price, at character 12: there is no column sku.item",
    ],
    [
      'sql of another kind',
      () => of({ invoice }, { paid: flag({ sql: 'invoice.date_paid' }) }),
      "paid of f: sql 'invoice.date_paid': invoice.date_paid, at character 1: it gives a date, and the field is a flag",
    ],
    [
      'a field that is smaller than its column',
      () => of({ invoice, sku: [skus, 'item_id'] }, { price: decimal({ digits: 9, scale: 1, from: 'sku.item_retail_price' }) }),
      'it gives 2 digits behind the point, and the field has 1',
    ],
    [
      'no time',
      () => of({ invoice }, {}, { at: 'quantity' }),
      'fact f: quantity, which should say when it happened, is no date or timestamp',
    ],
    [
      'a time that is no date',
      () => of({ invoice }, { n: integer({ from: 'quantity' }) }, { at: 'n' }),
      'fact f: n, which should say when it happened, is no date or timestamp field of it. Name one of its date or timestamp fields.',
    ],
    [
      'a time that may be null',
      () => of({ invoice }, { day: date({ from: 'invoice.date_issued' }) }),
      'fact f: day, which says when it happened, may be null. Write nullable: false; rows without it make no fact.',
    ],
    [
      'a field by a name that rows need',
      () => of({ invoice }, { group_end: flag({ sql: 'quantity > 1' }) }),
      'fact f: a field is called group_end, which says where a group of its changes ends. ',
    ],
    [
      'a field more of a name that is taken',
      () => saleLine.add(untyped({ amount: flag() })),
      'fact sale_line: it already has a field amount. ',
    ],
    ['another field in place of none', () => saleLine.replace(untyped({ n: flag() })), 'fact sale_line: it has no field n to replace. '],
    [
      'a field more that cannot be made',
      () => saleLine.add({ colour: text({ bytes: 9, from: 'sku.colour' }) }),
      'fact sale_line: colour is sku.colour, and there is no such column. ',
    ],
  ])('is refused with %s', (_, make, reason) => expect(make).toThrow(reason))

  it('has its next version with fields more, or made differently; the one before stays', () => {
    const next = saleLine.add({ price: decimal({ digits: 12, scale: 2, from: 'sku.item_retail_price' }) })
    const other = next.replace({ amount: decimal({ digits: 14, scale: 2, sql: 'quantity * 1.00' }) })
    expect([saleLine, next, other].map(({ fact: { version } }) => version)).toEqual([0, 1, 2])
    expect(Object.keys(other.fields)).toEqual([...Object.keys(saleLine.fields), 'price'])
    expect([saleLine.fields.amount.sql, other.fields.amount.sql]).toEqual(['quantity * sku.item_retail_price', 'quantity * 1.00'])
    expect(JSON.parse(JSON.stringify(next))).toEqual({ ...next, at: 'date_issued', name: 'sale_line' })
  })

  it('has fields that are made of columns joined, null where there is nothing, and none where one does not fit', () => {
    const made = fact(
      'f',
      { of: lines, at: 'day', join: { invoice, sku: [skus, 'item_id', { optional: true }] } },
      {
        day: issued,
        item: text({ bytes: 40, from: 'sku.item_name' }),
        amount: decimal({ digits: 4, scale: 2, sql: 'quantity * sku.item_retail_price' }),
        late: flag({ sql: 'invoice.date_paid - invoice.date_issued > 30' }),
      },
    )
    const texts = Buffer.from('pen')
    const byName = new Map<string, Column>([
      ['_seq', { kind: 'int', values: Float64Array.of(0, 1, 2) }],
      ['quantity', { kind: 'integer', values: Float64Array.of(3, 2, 9) }],
      ['invoice.date_issued', { kind: 'date', days: Int32Array.of(100, 100, 100) }],
      ['invoice.date_paid', { kind: 'date', days: Int32Array.of(131, 130, 130) }],
      ['sku.item_name', { kind: 'text', bytes: texts, starts: Int32Array.of(0, -1, 0), ends: Int32Array.of(3, -1, 3) }],
      ['sku.item_retail_price', { kind: 'decimal', scale: 2, values: Float64Array.of(125, NaN, 9999) }],
    ])
    const { columns, misfits } = joinedFields(made)({ count: 3, byName })
    expect(columns.byName.get('amount')).toMatchObject({ kind: 'decimal', scale: 2, values: Float64Array.of(375, NaN) })
    expect(columns.byName.get('late')).toMatchObject({ values: Uint8Array.of(1, 0) })
    expect(columns.byName.get('_seq')).toMatchObject({ values: Float64Array.of(0, 1) })
    expect(columns.byName.get('item')).toMatchObject({ starts: Int32Array.of(0, -1) })
    expect(misfits.map(({ row, column }) => [row, column])).toEqual([[2, 'amount']])
  })
})

describe('a set over facts', () => {
  const owing = { owing: sum('amount', { all: true }) }
  const set = featureSet({ name: 'owed', of: saleLine, per: 'account_id' }, owing)
  it.each<[string, () => unknown, string]>([
    [
      'a moving average',
      () => set.add({ e: ema('amount', { span: 3 }) }),
      'feature set owed: feature e: ema goes by the order in which records came, and facts can change or be taken back. Use mean over',
    ],
    [
      'a time since',
      () => set.add({ idle: since('amount', { unit: 'days' }) }),
      'feature set owed: feature idle: since goes by the order in which records came, and facts can change or be taken back. Use max of',
    ],
    [
      'batches alone',
      () => featureSet({ name: 'owed', of: saleLine, batchOnly: true }, owing),
      'feature set owed: it is batch only, and the facts of sale_line are made of tables. Leave batchOnly out: load fills it.',
    ],
    [
      'a feature by a name that rows need',
      () => set.add({ group_end: sum('amount', { all: true }) }),
      'feature set owed: feature group_end: a row over facts says under that name where a group of changes ends. Choose another name.',
    ],
    [
      'an earlier version of the fact',
      () => set.over(saleLine.add({ price: decimal({ digits: 12, scale: 2, from: 'sku.item_retail_price' }) })).over(untyped(saleLine)),
      "owed@1 cannot go on over sale_line: it is version 0 of the fact, and was version 1. Make the fact's next version by add({ … }) or",
    ],
    [
      'the fact made in another way under the same version',
      () => set.over(untyped({ ...saleLine, at: 'date_paid' })),
      'owed@0 cannot go on over sale_line: it is made in another way, and is no later version. ',
    ],
    [
      'a later version that lacks a field',
      () =>
        set.over(untyped({ ...saleLine, fields: { date_issued: saleLine.fields.date_issued }, fact: { ...saleLine.fact, version: 1 } })),
      'owed@0 cannot go on over sale_line: it has no field invoice_id any more. ',
    ],
    [
      'a later version of other tables',
      () => set.over(untyped({ ...saleLine, fact: { ...saleLine.fact, join: {}, version: 1 } })),
      'owed@0 cannot go on over sale_line: it is made of other tables, or joins them in another way. ',
    ],
    [
      'a later version with a field of another type',
      () => set.over(saleLine.replace({ amount: decimal({ digits: 14, scale: 3, sql: 'quantity * sku.item_retail_price' }) })),
      'owed@0 cannot go on over sale_line: amount was a decimal of 14 digits, 2 behind the point, and is a decimal of 14 digits, 3 behind',
    ],
    [
      'a record in place of the fact',
      () =>
        set.over(
          untyped(
            record('sale_line', 'date_issued', { date_issued: date({ nullable: false }), amount: decimal({ digits: 14, scale: 2 }) }),
          ),
        ),
      'owed@0 cannot go on over sale_line: it is a record, and was a fact. ',
    ],
  ])('is refused with %s', (_, make, reason) => expect(make).toThrow(reason))

  it('goes on over the same fact, and over any later version', () => {
    expect(set.over(saleLine).definition).toEqual({ ...set.definition, version: 1 })
    const later = saleLine.add({ price: decimal({ digits: 12, scale: 2, from: 'sku.item_retail_price' }) }).replace({})
    expect(set.over(later).definition).toEqual({ ...set.definition, version: 1, record: { ...later } })
    expect(later.fact.version).toBe(2)
  })
})

let files = 0
function fileOf(text: string): string {
  const file = join(folder, `definitions${++files}.ts`)
  const words = 'count, date, decimal, fact, featureSet, flag, integer, mean, number, record, sum, table, text, timestamp'
  writeFileSync(file, `import { ${words} } from '${resolve('definitions.ts')}'\n${text}\n`)
  return file
}

const tables = `const accounts = table('accounts', { key: 'id' }, { id: integer(), name: text({ bytes: 40 }), opened: date() })`
const facts = `${tables}
const fields = { day: date({ from: 'opened', nullable: false }), id: integer(), name: text({ bytes: 40 }) }
const opening = (name = 'opening', of = accounts) => fact(name, { of, at: 'day' }, fields)
const over = (name: string, of = opening()) => featureSet({ name, of }, { n: count('id', { all: true }) })
const pay = (name = 'pay') => record(name, 'day', { day: date({ nullable: false }), n: number() })
const paid = (name: string, of = pay()) => featureSet({ name, of }, { m: mean('n', { last: 3 }) })`

describe('definitions with facts', () => {
  it('tell their records, facts and tables, each once', async () => {
    const definitions = await loadDefinitions(
      fileOf(`${facts}\nexport const sets = [over('a'), over('b'), paid('c'), over('d', opening('closing'))]`),
    )
    expect(recordsIn(definitions)).toEqual(['pay'])
    expect(factsIn(definitions).map(({ name }) => name)).toEqual(['opening', 'closing'])
    expect(tablesIn(definitions).map(({ name }) => name)).toEqual(['accounts'])
    expect([...definitions.values()].flat().map(label)).toEqual(['a@0', 'b@0', 'c@0', 'd@0'])
  })

  const other = `table('accounts', { key: 'id' }, { id: integer(), name: text({ bytes: 40 }), opened: date({ from: 'Opened' }) })`
  const apart = 'Give one of the two another name.'
  it.each<[string, string, string]>([
    [
      'two tables of one name',
      `[over('a'), over('b', opening('closing', ${other}))]`,
      'b@0: it is over another table accounts than a@0. Define accounts once, or give one of the two another name.',
    ],
    [
      'two facts of one name',
      `[over('a'), over('b', fact('opening', { of: accounts, at: 'day' }, { ...fields, name: text({ bytes: 9 }) }))]`,
      'b@0: it is over another fact opening than a@0. Define opening once, or give one of the two another name.',
    ],
    ['a fact named like a record', `[paid('a'), over('b', opening('pay'))]`, `b@0: the fact pay is named like the record. ${apart}`],
    [
      'a table named like a record',
      `[paid('a', pay('accounts')), over('b')]`,
      `b@0: the table accounts is named like the record. ${apart}`,
    ],
    ['a fact named like its table', `over('a', opening('accounts'))`, `a@0: the table accounts is named like the fact. ${apart}`],
    ['a set named like a table', `over('accounts')`, `accounts@0: the table accounts is named like a set. ${apart}`],
    [
      'a set named like its fact',
      `over('opening')`,
      `opening@0: the set is named like its fact, and the registry has one schema for each name. ${apart}`,
    ],
    [
      'a set named like what shows the newest rows of another',
      `[over('a'), over('a_latest')]`,
      `a_latest@0: the set a_latest is named like something that belongs to the set a. ${apart}`,
    ],
    [
      'a set named like what belongs to a fact',
      `[paid('opening_latest'), over('b')]`,
      `opening_latest@0: the set opening_latest is named like something that belongs to the fact opening. ${apart}`,
    ],
    [
      'a record named like the stream of a version of a fact',
      `[paid('a', pay('opening_v1')), over('b')]`,
      `a@0: the record opening_v1 is named like something that belongs to the fact opening. ${apart}`,
    ],
    ['a fact named like a view', `over('a', opening('b_v1'))`, 'a@0: the fact b_v1 is named like tables and views of sets. '],
    ['a fact named like a table of a set', `over('a', opening('b_rows'))`, 'a@0: the fact b_rows is named like tables and views of sets. '],
    ['a fact named by a word of SQL', `over('a', opening('order'))`, 'a@0: order is a word of SQL, which queries would have to quote. '],
    [
      'versions of a fact that are of other tables',
      `[over('a'), over('b', fact('opening', { of: accounts, at: 'day', join: { j: [accounts, 'id'] } }, fields).add({}))]`,
      'b@0: it is over another fact opening than a@0. Define opening once, or give one of the two another name.',
    ],
    [
      'a column of a table in capitals',
      `over('a', opening('o', table('t', { key: 'id' }, { id: integer(), name: text({ bytes: 9 }), opened: date(), Zip: flag() })))`,
      'a@0: field Zip of t: the name is not lower case letters, digits and _. Rename it; its name in the file stays.',
    ],
    [
      'a text of a table without a length',
      `over('a', opening('o', table('t', { key: 'id' }, { id: integer(), name: text({ bytes: 0 }), opened: date() })))`,
      'a@0: field name of t: bytes is 0. Use a whole number from 1 to 65535, the longest VARCHAR.',
    ],
  ])('are refused with %s', async (_, sets, reason) =>
    expect(await loadDefinitions(fileOf(`${facts}\nexport const sets = ${sets}`)).catch((error: unknown) => String(error))).toContain(
      reason,
    ),
  )

  it.each<[object, string]>([
    [{ ticks: { opening: {} }, streams: { opening: { partitions: 3 } } }, 'opening every day in UTC'],
    [{ ticks: { opening: { zone: 'America/Argentina/Buenos_Aires' } } }, 'opening every day in America/Argentina/Buenos_Aires'],
    [
      { ticks: { opening: { every: 'hour' } } },
      'the config has ticks of opening every hour, and day, which says when it happened, is a date.',
    ],
    [
      { ticks: { openings: {} } },
      'the config has ticks of openings, and the definitions no fact of that name. Correct "ticks" in the config: ',
    ],
    [{ ticks: { pay: {} } }, 'the facts of the definitions are opening.'],
    [{ streams: { accounts: { partitions: 3 } } }, 'the records and facts of the definitions are pay, opening.'],
    [{ ticks: { opening: { zone: 'Mars/Olympus' } } }, 'ticks.opening.zone: it is no time zone: use a name such as Europe/Berlin, or UTC.'],
    [{ ticks: { opening: { zone: '+01:00' } } }, 'ticks.opening.zone: it is no time zone'],
    [{ ticks: { opening: { every: 'week' } } }, 'ticks.opening.every: '],
    [{ ticks: { opening: { at: '12:00' } } }, 'an unknown key ticks.opening.at'],
  ])('go with the config %j', async (config, reason) => {
    const path = join(folder, `config${++files}.json`)
    writeFileSync(path, JSON.stringify({ features: fileOf(`${facts}\nexport const sets = [over('a'), paid('b')]`), ...config }))
    const told = async () => {
      const read = readConfig(path, {})
      await definitionsOf(read)
      return Object.entries(read.ticks).map(([name, { every, zone }]) => `${name} every ${every} in ${zone}`)
    }
    expect(String(await told().catch((error: unknown) => error))).toContain(reason)
  })

  it('tick by the hour where facts happen at a moment', async () => {
    const moments = facts.replace('opened: date()', 'opened: timestamp()').replace('day: date(', 'day: timestamp(')
    const features = fileOf(`${moments}\nexport const sets = over('a')`)
    const ticks = { opening: { every: 'hour', zone: 'UTC' } } as const
    expect(factsIn(await definitionsOf({ features, streams: {}, ticks }))).toHaveLength(1)
  })
})
