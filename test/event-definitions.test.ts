/** Facts of records, which are events: what is refused and with which words, and what schemas, fingerprints and sets say of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { streamedOver } from '../commands/sets.ts'
import { definitionsOf, eventsIn, factsIn, loadDefinitions, recordsIn, tablesIn } from '../config/definitions.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { featureFingerprint, versionFingerprint } from '../feature-defs/fingerprint.ts'
import { ema, featureSet, mean } from '../feature-defs/language.ts'
import { definitionOf, rowSchema } from '../feature-defs/row-schema.ts'
import { neededEvents, neededFacts, neededTables } from '../ingest/needed.ts'
import { inflowSchema, recordOf, type AvroSchema } from '../schemas/avro/schema.ts'
import { fact } from '../schemas/fact.ts'
import { date, decimal, flag, integer, record, text, timestamp } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { refuseFacts } from '../streams/of-tables.ts'
import { enriched, payment } from './enriched.ts'
import { factStore } from './fact-store.ts'
import { accounts, invoices, saleLine, skus } from './sale-lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-events-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As plain JavaScript has them, where no compiler looks. */
const untyped = (value: unknown) => value as never
const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const at = timestamp({ nullable: false })
const invoice = [invoices, 'invoice_id'] as const
const of = (joins: unknown, fields: object = {}, more: object = {}) =>
  fact('f', untyped({ of: payment, join: joins, ...more }), untyped({ paid_at: at, ...fields }))

const set = featureSet(
  { name: 'paid', of: enriched, per: 'company_name' },
  { m: ema('doubled', { span: 3, round: 2 }), w: mean('share', { days: 9, round: 4 }) },
)

describe('a fact of a record', () => {
  it('is a record with what it is made of, which happens when its record does where nothing else is said', () => {
    expect(throughJson(enriched)).toEqual({
      name: 'enriched',
      at: 'paid_at',
      fields: enriched.fields,
      event: {
        of: throughJson(payment),
        join: {
          invoice: { table: throughJson(invoices), on: ['invoice_id'], optional: false, waitMs: 1000 },
          account: { table: throughJson(accounts), on: ['invoice.account_id'], optional: false, waitMs: 500 },
          sku: { table: throughJson(skus), on: ['item_id'], optional: true, waitMs: 200 },
        },
      },
    })
    const issued = { day: date({ from: 'invoice.date_issued', nullable: false }) }
    expect(of({ invoice }, issued, { at: 'day' })).toMatchObject({
      at: 'day',
      event: { join: { invoice: { waitMs: 0, optional: false } } },
    })
  })

  it.each<[string, () => unknown, string]>([
    [
      'a fact that it is of',
      () => of({}, {}, { of: untyped(saleLine) }),
      'fact f: it is of sale_line, which is made from something else. ',
    ],
    ['an event that it is of', () => of({}, {}, { of: enriched }), 'fact f: it is of enriched, which is made from something else. '],
    ['a record that it joins', () => of({ pay: [payment, 'invoice_id'] }), 'fact f: what it joins as pay is no table. '],
    [
      'a join with another option',
      () => of({ invoice: [invoices, 'invoice_id', { wait: 5 }] }),
      'fact f: the join invoice has no option wait. Its options are optional and waitMs.',
    ],
    [
      'less than no time to wait',
      () => of({ invoice: [invoices, 'invoice_id', { waitMs: -1 }] }),
      'fact f: the join invoice waits for -1 ms. Use a whole number from 0 to 604800000, which are seven days.',
    ],
    ['a wait for ever', () => of({ invoice: [invoices, 'invoice_id', { waitMs: Infinity }] }), 'the join invoice waits for null ms. '],
    ['a wait in words', () => of({ invoice: [invoices, 'invoice_id', { waitMs: '1m' }] }), 'the join invoice waits for "1m" ms. '],
    [
      'a join by a column that there is not',
      () => of({ sku: [skus, 'invoice.item'] }),
      'fact f: the join sku is by invoice.item, and there is no such column before it. There are paid_at, invoice_id, item_id, amount',
    ],
    [
      'no field of its time',
      () => fact('f', { of: payment }, { invoice_id: integer() }),
      'fact f: paid_at, which should say when it happened',
    ],
    ['a time that may be null', () => of({}, { paid_at: timestamp() }), 'fact f: paid_at, which says when it happened, may be null. '],
    [
      'a field of a column that there is not',
      () => of({ invoice }, { name: text({ bytes: 9, from: 'account.company_name' }) }),
      'fact f: name is account.company_name, and there is no such column. ',
    ],
    [
      'a next version',
      () => (enriched as never as { add: (more: object) => unknown }).add({ more: flag() }),
      'fact enriched: it is of a record, and what was written of it stays as it is: it has no next version. Make a fact under another name',
    ],
    [
      'the same made differently',
      () => (enriched as never as { replace: (more: object) => unknown }).replace({}),
      'fact enriched: it is of a record, and what was written of it stays as it is: it has no next version. ',
    ],
  ])('is refused with %s', (_, make, reason) => expect(make).toThrow(reason))

  it('is taken from no file', () => {
    expect(() => refuseFacts(enriched)).toThrow(
      'enriched is made of payment and the rows that it refers to, as they are when it comes: no file holds it. Run: tidemark ingest',
    )
    expect(() => streamedOver(new Map([['paid', [set.definition]]]), {})).toThrow(
      'enriched is made of payment as it comes, and no file has it',
    )
    expect(() => featureSet({ name: 's', of: enriched, batchOnly: true }, { m: ema('doubled', { span: 3, round: 2 }) })).toThrow(
      'feature set s: it is batch only, and enriched is made as payment comes. Leave batchOnly out: ingest fills it.',
    )
  })
})

describe('the schema of an event', () => {
  const schema = inflowSchema(enriched)
  it('is that of a record, which says what it is made of, and is read back', () => {
    expect(schema.fields.map(({ name }) => name)).toEqual(['seq', ...Object.keys(enriched.fields)])
    const back = recordOf(throughJson(schema))
    expect(back).toEqual(throughJson(enriched))
    expect(Object.keys(back.event!.join)).toEqual(['invoice', 'account', 'sku'])
    expect(inflowSchema(back)).toEqual(schema)
  })

  it('goes with the rows of a set, whose definition is read back', () => {
    const back = definitionOf(throughJson(rowSchema(set.definition)))!
    expect(back).toEqual(throughJson(set.definition))
    expect(rowSchema(back)).toEqual(rowSchema(set.definition))
  })

  const { event } = enriched
  const stated = (change: object): unknown => ({ ...schema, tidemark: { at: 'paid_at', event: { ...event, ...change } } })
  const joined = (change: object) => stated({ join: { ...event.join, sku: { ...event.join['sku'], ...change } } })
  it.each<[string, unknown, RegExp]>([
    ['nothing that it is made of', { ...schema, tidemark: { at: 'paid_at', event: 5 } }, /what it is made of: 5/],
    ['no record', stated({ of: null }), /a record: null/],
    ['a record without a name', stated({ of: { ...event.of, name: 5 } }), /a record is called 5/],
    ['a record that never happens', stated({ of: { ...event.of, at: 5 } }), /payment happens at 5/],
    ['a record without fields', stated({ of: { ...event.of, fields: [] } }), /the fields of payment: \[\]/],
    [
      'a field made by what is no text',
      stated({ of: { ...event.of, fields: { ...event.of.fields, twice: { ...event.of.fields['twice'], sql: 5 } } } }),
      /field twice/,
    ],
    [
      'a record made of what there is not',
      stated({ of: { ...event.of, fields: { twice: event.of.fields['twice'] } } }),
      /no column amount/,
    ],
    ['no joins', stated({ join: null }), /joins: null/],
    ['a join that is none', stated({ join: { invoice: 5 } }), /the join invoice: 5/],
    ['a join that waits in words', joined({ waitMs: '1m' }), /the join sku: waitMs is "1m"/],
    ['a join that waits for less than nothing', joined({ waitMs: -1 }), /the join sku waits for -1 ms/],
    ['a join that is gone', stated({ join: {} }), /company_name is account.company_name, and there is no such column/],
  ])('is none of ours with %s', (_, avro, reason) => expect(() => recordOf(avro as AvroSchema)).toThrow(reason))
})

describe('a fingerprint over events', () => {
  const over = (joins: object, fields: object = {}, from: object = payment): Definition => {
    const join = {
      invoice: [invoices, 'invoice_id'],
      account: [accounts, 'invoice.account_id'],
      sku: [skus, 'item_id', { optional: true }],
      ...joins,
    }
    return { ...set.definition, record: fact('enriched', untyped({ of: from, join }), untyped({ ...enriched.fields, ...fields })) }
  }
  const printsOf = (one: Definition) => one.features.map((feature) => featureFingerprint(one, feature))

  it('hangs on how it is made, and not on how long it waits or on columns that nothing reads', () => {
    const same = [
      over({}),
      over({ invoice: [invoices, 'invoice_id', { waitMs: 5 }] }),
      over({ sku: [table('skus', { key: 'item_id' }, { ...skus.fields, colour: text({ bytes: 9 }) }), 'item_id', { optional: true }] }),
      over({}, {}, payment.add({ colour: text({ bytes: 9 }) })),
    ]
    for (const one of same) {
      expect(versionFingerprint(one)).toBe(versionFingerprint(set.definition))
      expect(printsOf(one)).toEqual(printsOf(set.definition))
    }
    const twice = { twice: decimal({ digits: 14, scale: 2, sql: 'amount * 3' }) }
    const { twice: _, ...own } = payment.fields
    const others = [
      set.definition,
      over({ sku: [skus, 'item_id'] }),
      over({ account: [{ ...accounts, name: 'firms' }, 'invoice.account_id'] }),
      over({}, { doubled: decimal({ digits: 14, scale: 2, sql: 'twice + 1.00' }) }),
      over({}, {}, { ...payment, name: 'payments' }),
      over({}, {}, record('payment', 'paid_at', { ...own, ...twice })),
    ]
    expect(new Set(others.map(versionFingerprint)).size).toBe(others.length)
    expect(new Set(others.map((one) => printsOf(one)[0])).size).toBe(others.length)
    const plain = {
      ...set.definition,
      record: record('enriched', 'paid_at', {
        ...enriched.fields,
        doubled: decimal({ digits: 14, scale: 2 }),
        share: decimal({ digits: 12, scale: 4 }),
      } as never),
    }
    expect(versionFingerprint(plain)).not.toBe(versionFingerprint(set.definition))
  })
})

describe('a set over events', () => {
  it('cannot go on over another event, or over a record of the name', () => {
    expect(set.over(enriched).definition).toEqual({ ...set.definition, version: 1 })
    const other = { ...enriched, fields: { ...enriched.fields, more: integer({ from: 'invoice_id' }) } }
    for (const next of [other, record('enriched', 'paid_at', { paid_at: at })])
      expect(() => set.over(untyped(next))).toThrow(
        'paid@0 cannot go on over enriched: it is made in another way. Make the other one a fact under another name, and give its features',
      )
  })
})

describe('which events are made', () => {
  it('are those of every set that is defined or was applied, as they were then', async () => {
    const { registry } = factStore([]).ports()
    const needing = { registry, isRetired: () => false }
    await registry.register('paid', JSON.stringify(rowSchema(set.definition)))
    const more = featureSet({ name: 'more', of: enriched }, { m: ema('doubled', { span: 3, round: 2 }) }).definition
    const [needed, ...none] = await neededEvents({ ...needing, definitions: [more] })
    expect([needed!.stream.inflow, needed!.pers, none]).toEqual(['inflow.enriched', [null, 'company_name'], []])
    expect(needed!.event).toEqual(throughJson(enriched))
    expect(await neededFacts({ ...needing, definitions: [more] })).toEqual([])
    expect(neededTables([needed!], []).map(({ name }) => name)).toEqual(['accounts', 'invoices', 'skus'])
    const shorter = table('accounts', { key: 'account_id' }, { account_id: text({ bytes: 40 }) })
    expect(() => neededTables([needed!], [shorter])).toThrow(
      'enriched was applied over a table accounts with a column company_name, which it has no more',
    )
    expect(await neededEvents({ ...needing, definitions: [], isRetired: () => true })).toMatchObject([{ retired: true }])
  })

  it('have the patience that the code has by now, and one meaning', async () => {
    const { registry } = factStore([]).ports()
    await registry.register('paid', JSON.stringify(rowSchema(set.definition)))
    const coded = (one: object) =>
      neededEvents({ registry, isRetired: () => false, definitions: [{ ...set.definition, record: untyped(one) }] })
    const { join: joins } = enriched.event
    const patient = { ...enriched, event: { ...enriched.event, join: { ...joins, sku: { ...joins['sku']!, waitMs: 7 } } } }
    expect((await coded(patient))[0]!.event.event.join['sku']!.waitMs).toBe(7)
    const why =
      'the event enriched is made in another way than when a set over it was applied. Put it back as it was, and make the other one'
    for (const other of [
      { ...enriched, event: { ...enriched.event, join: { ...joins, sku: { ...joins['sku']!, optional: false } } } },
      { ...enriched, fields: { ...enriched.fields, item_name: { ...enriched.fields.item_name, bytes: 7 } } },
      record('enriched', 'paid_at', { paid_at: at, doubled: decimal({ digits: 14, scale: 2 }), share: decimal({ digits: 12, scale: 4 }) }),
    ])
      await expect(coded(other)).rejects.toThrow(why)
  })
})

let files = 0
function fileOf(code: string): string {
  const file = join(folder, `definitions${++files}.ts`)
  const words = 'date, decimal, ema, fact, featureSet, integer, record, sum, table, text, timestamp'
  writeFileSync(file, `import { ${words} } from '${resolve('definitions.ts')}'\n${code}\n`)
  return file
}

const words = `const accounts = table('accounts', { key: 'id' }, { id: integer(), name: text({ bytes: 40 }), opened: date() })
const other = (more = {}) => table('accounts', { key: 'id' }, { id: integer(), name: text({ bytes: 9 }), ...more })
const at = timestamp({ nullable: false })
const pay = (name = 'pay', more = {}) => record(name, 'at', { at, id: integer(), ...more })
const fields = { at, id: integer(), name: text({ bytes: 40, from: 'account.name' }) }
const named = (name = 'named', of = pay(), own = fields, joined = accounts) =>
  fact(name, { of, join: { account: [joined, 'id', { waitMs: 9 }] } }, own)
const over = (name, of = named()) => featureSet({ name, of }, { n: ema('id', { span: 3 }) })`

describe('definitions with events', () => {
  it('tell their events and the tables that these need, each once, and can say how their streams are', async () => {
    const features = fileOf(`${words}\nexport const sets = [over('a'), over('b'), over('c', pay())]`)
    const definitions = await definitionsOf({ features, streams: { named: { partitions: 2 } } as never, ticks: {} })
    expect([recordsIn(definitions), factsIn(definitions)]).toEqual([['pay'], []])
    expect(eventsIn(definitions).map(({ name }) => name)).toEqual(['named'])
    expect(tablesIn(definitions).map(({ name }) => name)).toEqual(['accounts'])
    await expect(definitionsOf({ features, streams: {}, ticks: { named: { every: 'day', zone: 'UTC' } } })).rejects.toThrow(
      'the config has ticks of named, and the definitions no fact of that name',
    )
  })

  const apart = 'Give one of the two another name.'
  it.each<[string, string, string]>([
    [
      'two events of one name',
      `[over('a'), over('b', named('named', pay(), { ...fields, name: text({ bytes: 9, from: 'account.name' }) }))]`,
      'b@0: it is over another event named than a@0. Define named once, or give one of the two another name.',
    ],
    [
      'two tables of one name',
      `[over('a'), over('b', named('other', pay(), fields, other()))]`,
      'b@0: it is over another table accounts than a@0. Define accounts once, ',
    ],
    ['an event named like its record', `over('a', named('pay'))`, `a@0: the record pay is named like the event. ${apart}`],
    ['an event named like its table', `over('a', named('accounts'))`, `a@0: the table accounts is named like the event. ${apart}`],
    ['a set named like the record of an event', `over('pay')`, `pay@0: the record pay is named like a set. ${apart}`],
    [
      'an event named like dead letters',
      `over('a', named('a_dead'))`,
      'a@0: the record a_dead is named like the dead letters of another one. ',
    ],
    [
      'a record that has a word of SQL',
      `over('a', named('named', pay('pay', { order: integer() })))`,
      'a@0: field order of pay: order is a word of SQL, which queries would have to quote. ',
    ],
    [
      'a column of a table in capitals',
      `over('a', named('named', pay(), fields, other({ Zip: date() })))`,
      'a@0: field Zip of accounts: the name is not lower case letters, digits and _. ',
    ],
  ])('are refused with %s', async (_, sets, reason) =>
    expect(await loadDefinitions(fileOf(`${words}\nexport const sets = ${sets}`)).catch((error: unknown) => String(error))).toContain(
      reason,
    ),
  )
})
