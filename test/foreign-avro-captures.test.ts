/** Change events that AWS's converter wrote in Avro, framed for Glue: they say what those say that the same connector wrote in JSON. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { says, type Changes } from '../schemas/foreign/changes.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { transactionDecoder } from '../schemas/foreign/transactions.ts'
import { date, decimal, flag, integer, number, text, timestamp, type Fields } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import type { Messages } from '../utilities/feed.ts'
import { captured, messagesOf } from './foreign-messages.ts'
import { linesOf } from './foreign-rows.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, 'fixtures/cdc', file), 'utf8')
const registered = JSON.parse(read('pg-avro-glue-schemas.json')) as { readonly [id: string]: { readonly schema: object } }
const schemas = { find: async (id: string) => registered[id] && JSON.stringify(registered[id].schema) }

type Line = { readonly [part in 'topic' | 'key' | 'value']: string | null } & { readonly headers: { readonly [name: string]: string } }
const lines = read('pg-avro-glue.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)
const bytes = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, 'base64'))

const inAvro = (topic: string): Messages =>
  messagesOf(
    lines
      .filter((line) => line.topic === topic)
      .map(({ key, value, headers }) => ({
        key: bytes(key),
        value: bytes(value),
        headers: Object.fromEntries(Object.entries(headers).map(([name, one]) => [name, bytes(one)!.toString()])),
      })),
  )

const every = { nullable: true } as const
const balances: Fields = {
  balance: decimal({ digits: 38, scale: 2 }),
  ...table('b', { key: 'account_id' }, { account_id: integer() }).fields,
}
const accounts: Fields = {
  account_id: integer(),
  big: decimal({ digits: 38, scale: 10 }),
  big_text: text({ bytes: 60, from: 'big' }),
  opened: date(),
  opened_at: timestamp({ from: 'opened' }),
  updated_at: timestamp(),
  at_ms: timestamp(),
  rate: number(),
  score: number(),
  active: flag(),
  meta: text({ bytes: 40 }),
  id: text({ bytes: 36 }),
  tags: text({ bytes: 40 }),
  raw: text({ bytes: 10 }),
  document: text({ bytes: 12_000 }),
}
const of = (name: string, key: readonly string[] | null, fields: Fields): ForeignSource => {
  const named = Object.fromEntries(
    Object.entries(fields).map(([own, field]) => [own, { ...field, csv: field.csv === '' ? own : field.csv }]),
  )
  return { name, key, fields: named, format: 'debezium' }
}
const sources: readonly ForeignSource[] = [
  of('customers', ['customer_id'], { customer_id: integer(), customer_name: text({ bytes: 80 }) }),
  of('invoices', ['invoice_id'], {
    invoice_id: integer(),
    issue_date: timestamp(),
    issuer_id: integer(),
    amount_usd: decimal({ digits: 10, scale: 2 }),
  }),
  of('invoice_line_items', ['invoice_id', 'item_id'], {
    invoice_id: integer(),
    item_id: integer(),
    unit_price: decimal({ digits: 12, scale: 4 }),
    note: text({ bytes: 9 }),
  }),
  of('skus', ['sku'], {
    sku: text({ bytes: 20 }),
    name: text({ bytes: 80 }),
    price: decimal({ digits: 12, scale: 4 }),
    weight_kg: decimal({ digits: 6, scale: 3 }),
  }),
  of('accounts', ['account_id'], accounts),
  of('accounts', ['account_id'], balances),
  of('accounts_full', ['account_id'], accounts),
  of('audit', null, { at: timestamp(every), what: text({ bytes: 20 }) }),
]

/** Places and transactions are those of another run. */
const told = ({ said, rows, gone, unsent, dead, notes, origins }: Changes) => ({
  said: [...said].filter((one) => one !== says.emptied),
  // The text that is too large to be sent again has another length there.
  rows: linesOf(rows).map((line) => line.replace(/(long text )+/, 'long text')),
  gone: linesOf(gone),
  unsent: [...unsent],
  dead: dead.map(({ reason }) => reason),
  notes,
  origins: origins.flatMap((one) =>
    one && one.op !== 't' ? [[one.op, one.snapshot, one.collection, one.place?.of, one.transaction !== undefined]] : [],
  ),
})

describe('captures in Avro', () => {
  it.each(sources)('$name says what it says in JSON', async (source) => {
    const avro = told(await foreignDecoder(source, schemas)(inAvro(`avro.public.${source.name}`)))
    const [json] = captured('pg-schemas.jsonl', `schemas.public.${source.name}`)
    expect(avro).toEqual(told(await foreignDecoder(source, undefined)(json!)))
    expect(avro.rows.length).toBeGreaterThan(0)
  })

  it('a transaction has its changes counted as in JSON, and they name it', async () => {
    const marksOf = async (messages: Messages, all: typeof schemas | undefined) =>
      (await transactionDecoder(sources[0]!, all)(messages)).map((mark) => (mark && 'kind' in mark ? mark : expect.unreachable()))
    const [json] = captured('pg-schemas.jsonl', 'schemas.transaction')
    const [avro, others] = [await marksOf(inAvro('avro.transaction'), schemas), await marksOf(json!, undefined)]
    const countsOf = (marks: typeof avro) =>
      marks.flatMap(({ changes }) => {
        const counts = [...changes].filter(([name]) => name.startsWith('public.'))
        return counts.length === 0 ? [] : [counts.map(([name, count]) => `${name} ${count}`).join(', ')]
      })
    // One that is told there alone: the TRUNCATE of a table.
    expect(countsOf(avro)).toEqual(countsOf(others).filter((counts) => counts !== 'public.invoice_line_items 1'))
    expect(avro.filter(({ kind }) => kind === 'begin')).toHaveLength(21)
    const ends = avro.flatMap(({ changes, transaction }) => (changes.has('public.customers') ? [transaction] : []))
    const { origins } = await foreignDecoder(sources[0]!, schemas)(inAvro('avro.public.customers'))
    expect([...new Set(origins.flatMap((origin) => origin?.transaction ?? []))]).toEqual(ends)
  })

  it('what a database says beside its tables says nothing', async () => {
    expect([...(await foreignDecoder(sources[0]!, schemas)(inAvro('avro.message'))).said]).toEqual([says.nothing])
  })

  it('without a registry each is dead and says why', async () => {
    const { dead } = await foreignDecoder(sources[0]!, undefined)(inAvro('avro.public.customers'))
    expect(new Set(dead.map(({ reason }) => reason))).toEqual(new Set(['it is Avro, and there is no schema registry to read it by']))
  })
})
