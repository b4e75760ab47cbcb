/** The schemas of a fact's changes and of rows over facts carry what they mean there and back; and what their fingerprints hang on. */
import { describe, expect, it } from 'vitest'
import type { Definition } from '../feature-defs/feature-set.ts'
import { featureFingerprint, versionFingerprint } from '../feature-defs/fingerprint.ts'
import { count, featureSet, sum } from '../feature-defs/language.ts'
import { definitionOf, rowSchema } from '../feature-defs/row-schema.ts'
import { incompatibilities } from '../schemas/avro/compatibility.ts'
import { parseSchema } from '../schemas/avro/generic.ts'
import { inflowSchema, recordOf, type AvroSchema, type Json } from '../schemas/avro/schema.ts'
import { fact, type FactSchema } from '../schemas/fact.ts'
import { date, decimal, flag, integer, record, text, type Table } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { accountInvoices, accounts, invoices, lines, saleLine, skus } from './sale-lines.ts'

const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const { definition } = accountInvoices

describe("the schema of a fact's changes", () => {
  it('says what it was and what it is, by one record that may be null, and when it became known', () =>
    expect(
      inflowSchema(saleLine).fields.map(({ name, type }) => [name, name === 'before' ? (type as [string, AvroSchema])[1].name : type]),
    ).toEqual([
      ['seq', 'long'],
      ['known', 'long'],
      ['change', 'string'],
      ['key', ['null', 'string']],
      ['before', 'sale_line_values'],
      ['after', ['null', 'sale_line_values']],
      ['group_end', 'boolean'],
      ['tick', ['null', { type: 'int', logicalType: 'date' }]],
    ]))

  it('gives back the fact, in the order of its fields and its joins', () => {
    const back = recordOf(throughJson(inflowSchema(saleLine))) as FactSchema
    expect(back).toEqual(saleLine)
    expect(Object.keys(back.fields)).toEqual(Object.keys(saleLine.fields))
    expect(Object.keys(back.fact.join)).toEqual(['invoice', 'account', 'sku'])
    expect(inflowSchema(back)).toEqual(inflowSchema(saleLine))
    parseSchema(JSON.stringify(inflowSchema(saleLine)))
  })

  const schema = inflowSchema(saleLine)
  const stated = (change: object): unknown => ({ ...schema, tidemark: { at: 'date_issued', fact: { ...saleLine.fact, ...change } } })
  const joined = (change: object) => stated({ join: { ...saleLine.fact.join, sku: { ...saleLine.fact.join['sku'], ...change } } })
  const column = (change: Json) =>
    stated({
      of: { ...lines, fields: { ...lines.fields, quantity: change === null ? null : { ...lines.fields.quantity, ...(change as object) } } },
    })
  it.each<[string, unknown, RegExp]>([
    ['no version', stated({ version: '1' }), /does not describe a fact: version "1"/],
    ['no table', stated({ of: null }), /does not describe a fact: a table: null/],
    ['a table without a name', stated({ of: { ...lines, name: 5 } }), /a table is called 5/],
    ['a key that is no list', stated({ of: { ...lines, key: 'quantity' } }), /the key of lines: "quantity"/],
    ['a key of another table', stated({ of: { ...lines, key: ['item_name'] } }), /its key names item_name/],
    ['a table without fields', stated({ of: { ...lines, fields: [] } }), /the fields of lines: \[\]/],
    ['a field that is none', column(null), /field quantity of lines: null/],
    ['a field of another kind', column({ kind: 'money' }), /field quantity of lines: \{"kind":"money"/],
    ['a text of no length', column({ kind: 'text' }), /field quantity of lines/],
    ['a field that says not whether it may be null', column({ nullable: 'no' }), /field quantity of lines/],
    ['no joins', stated({ join: null }), /does not describe a fact: joins: null/],
    ['a join by no columns', joined({ on: 'item_id' }), /the join sku: "item_id"/],
    ['a join that may be optional', joined({ optional: 'yes' }), /the join sku: optional is "yes"/],
    ['a join that is gone', stated({ join: {} }), /account_id is invoice.account_id, and there is no such column/],
    ['a column of another kind', column({ kind: 'flag' }), /amount of sale_line: sql 'quantity \* sku.item_retail_price'/],
    ['a fact that is none', { ...schema, tidemark: { at: 'date_issued', fact: 5 } }, /what it is made of: 5/],
    [
      'a record under the name of a fact',
      { ...inflowSchema(record('r', 'd', { d: date({ nullable: false }) })), tidemark: { at: 'd', fact: {} } },
      /does not say what a fact was/,
    ],
  ])('is none of ours with %s', (_, avro, reason) => expect(() => recordOf(avro as AvroSchema)).toThrow(reason))

  const verdict = (next: AvroSchema, before: AvroSchema) => incompatibilities('BACKWARD')(JSON.stringify(next), [JSON.stringify(before)])
  const told = 'rows written before could not be read'
  it('can follow one of fewer fields, which are null in what was written before; what changes is told once', () => {
    const more = saleLine.add({ price: decimal({ digits: 12, scale: 2, from: 'sku.item_retail_price' }) })
    expect(verdict(inflowSchema(more), schema)).toEqual([])
    const { paid_late: _, ...fewer } = saleLine.fields
    expect(verdict(inflowSchema({ ...saleLine, fields: fewer }), schema)).toEqual([])
    const price = (scale: number) =>
      inflowSchema({ ...saleLine, fields: { ...saleLine.fields, amount: decimal({ digits: 14, scale, nullable: true }) } })
    expect(verdict(price(3), schema)).toEqual([
      `field before.amount changed from nullable decimal(14, 2) to nullable decimal(14, 3): ${told}`,
    ])
    const sure = inflowSchema({ ...saleLine, fields: { ...saleLine.fields, sure: flag({ nullable: false }) } })
    expect(verdict(sure, schema)).toEqual([`field before.sure was added without a default: ${told}`])
    const never = inflowSchema({ ...saleLine, fields: { ...saleLine.fields, amount: text({ bytes: 9 }) } })
    expect(verdict(never, schema)).toEqual([`field before.amount changed from nullable decimal(14, 2) to nullable string: ${told}`])
  })
})

describe('the schema of rows over facts', () => {
  it('has the fields, all of which may be null, the features, and of which change the row is', () => {
    const { fields } = rowSchema(definition)
    expect(fields.map(({ name }) => name).join(' ')).toBe(
      `seq ${Object.keys(saleLine.fields).join(' ')} _modified_ts _version ` +
        'owing overdue products invoices_90d late_share lines_all _change _known_ts group_end _v0',
    )
    const own = fields.slice(1, 1 + Object.keys(saleLine.fields).length)
    expect(own.filter(({ type }) => !Array.isArray(type) || type[0] !== 'null')).toEqual([])
    parseSchema(JSON.stringify(rowSchema(definition)))
  })

  it.each([{ nullable: true }, { nullable: false }])('gives back the definition it was made of, whose fields are %j', ({ nullable }) => {
    const own = fact(
      'own',
      { of: invoices, at: 'day' },
      {
        day: date({ from: 'date_issued', nullable: false }),
        id: integer({ from: 'invoice_id', nullable }),
        paid: flag({ sql: 'date_paid is not null', nullable }),
        account: text({ bytes: 40, from: 'account_id', nullable }),
      },
    )
    for (const one of [definition, featureSet({ name: 's', of: own }, { n: count('id', { days: 9, when: 'paid' }) }).definition]) {
      const back = definitionOf(throughJson(rowSchema(one)))!
      expect(back).toEqual(one)
      expect(Object.keys(back.record.fields)).toEqual(Object.keys(one.record.fields))
      expect(rowSchema(back)).toEqual(rowSchema(one))
    }
  })

  const schema = rowSchema(definition)
  const field = (name: string, tidemark: object): AvroSchema => ({
    ...schema,
    fields: schema.fields.map((one) => (one.name === name ? { ...one, tidemark: { ...one.tidemark, ...tidemark } } : one)),
  })
  const made = (of: object): AvroSchema => ({ ...schema, tidemark: { ...schema.tidemark, fact: throughJson({ ...saleLine.fact, ...of }) } })
  it.each<[string, AvroSchema, RegExp]>([
    [
      'other sql of a field that a feature reads',
      field('amount', { sql: 'quantity * 1.00' }),
      /feature owing does not match its fingerprint/,
    ],
    ['another source of a field that none reads', field('company_name', { csv: 'account.account_id' }), /its definition does not match/],
    ['a field that may be null', field('date_issued', { nullable: true }), /may be null/],
    ['another version of the fact', made({ version: 1 }), /its definition does not match its fingerprint/],
    [
      'another join',
      made({ join: { ...saleLine.fact.join, sku: { ...saleLine.fact.join['sku'], optional: true } } }),
      /feature owing does not match/,
    ],
    ['no fact any more', { ...schema, tidemark: { ...schema.tidemark, fact: 5 } }, /does not describe a fact/],
  ])('with %s is refused rather than run', (_, avro, reason) => expect(() => definitionOf(throughJson(avro))).toThrow(reason))

  it('is not seen where it does not say which change a row is of', () => {
    const fields = schema.fields.filter(({ name }) => name !== '_known_ts')
    expect(definitionOf({ ...schema, fields })).toBeUndefined()
  })
})

describe('a fingerprint over facts', () => {
  const printOf = (one: Definition, name: string) =>
    featureFingerprint(
      one,
      one.features.find((feature) => feature.name === name)!,
    )
  type Parts = { readonly of?: Table; readonly join?: object; readonly fields?: object; readonly at?: string }
  const over = ({ of = lines, join = {}, fields = {}, at = 'date_issued' }: Parts): Definition => {
    const joins = { invoice: [invoices, 'invoice_id'], account: [accounts, 'invoice.account_id'], sku: [skus, 'item_id'], ...join }
    const own = fact('sale_line', { of, at, join: joins } as never, { ...saleLine.fields, ...fields } as never)
    return { ...definition, record: own }
  }
  const dearer = { ...skus, fields: { ...skus.fields, item_retail_price: decimal({ digits: 12, scale: 1, from: 'item_retail_price' }) } }
  const smaller = decimal({ digits: 14, scale: 3, sql: 'quantity * sku.item_retail_price' })
  const columnMore = table('skus', { key: 'item_id' }, { ...skus.fields, colour: text({ bytes: 9 }) })
  const columnRenamed = { ...skus, fields: { ...skus.fields, item_name: text({ bytes: 99, from: 'ITEM' }) } }

  it('is the same whatever columns a table has that no field reads, and however its source calls them', () => {
    for (const sku of [columnMore, columnRenamed]) {
      const one = over({ join: { sku: [sku, 'item_id'] } })
      expect(versionFingerprint(one)).toBe(versionFingerprint(definition))
      for (const { name } of definition.features) expect(printOf(one, name)).toBe(printOf(definition, name))
    }
  })

  it('of a feature changes with all that makes its field, its flag, its key and its date, and which facts there are', () => {
    const named = (name: string) => ({ ...lines, name })
    const variants: readonly Definition[] = [
      definition,
      over({ fields: { amount: decimal({ digits: 14, scale: 2, sql: 'quantity * 1.00' }) } }),
      over({ fields: { amount: smaller } }),
      over({ join: { sku: [dearer, 'item_id'] } }),
      over({ fields: { unpaid: flag({ sql: 'invoice.date_paid is not null' }) } }),
      over({ fields: { account_id: text({ bytes: 40, from: 'account.account_id' }) } }),
      over({ fields: { date_issued: date({ from: 'invoice.date_paid', nullable: false }) } }),
      over({ of: named('order_lines') }),
      over({ of: { ...lines, key: ['item_id', 'invoice_id'] } }),
      over({ join: { sku: [skus, 'item_id', { optional: true }] } }),
      over({ join: { sku: [{ ...skus, name: 'articles' }, 'item_id'] } }),
      over({ join: { account: [accounts, 'item_id'] } }),
      { ...definition, per: 'item_id' },
    ]
    expect(new Set(variants.map((one) => printOf(one, 'owing'))).size).toBe(variants.length)
    expect(new Set(variants.map(versionFingerprint)).size).toBe(variants.length)
  })

  it('of a feature does not hang on fields that it does not read; that of the version does', () => {
    const variants = [
      definition,
      over({ fields: { company_name: text({ bytes: 200, from: 'account.account_id' }) } }),
      over({ fields: { company_name: text({ bytes: 20, from: 'account.company_name' }) } }),
      over({ fields: { price: decimal({ digits: 12, scale: 2, from: 'sku.item_retail_price' }) } }),
      { ...definition, record: { ...saleLine, fact: { ...saleLine.fact, version: 1 } } },
    ]
    expect(new Set(variants.map((one) => printOf(one, 'owing'))).size).toBe(1)
    expect(new Set(variants.map(versionFingerprint)).size).toBe(variants.length)
  })

  it('differs from that of a record with the same fields', () => {
    const plain = record('sale_line', 'date_issued', {
      date_issued: date({ nullable: false }),
      amount: decimal({ digits: 14, scale: 2 }),
    })
    const set = featureSet({ name: 'account_invoices', of: plain }, { owing: sum('amount', { all: true }) }).definition
    const facts = featureSet({ name: 'account_invoices', of: saleLine }, { owing: sum('amount', { all: true }) }).definition
    expect(printOf(set, 'owing')).not.toBe(printOf(facts, 'owing'))
  })
})
