/** Change events as real connectors sent them, in every mode: each makes the rows that the SQL statements made. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Changes, TransactionMark } from '../schemas/foreign/changes.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import { transactionDecoder } from '../schemas/foreign/transactions.ts'
import { date, decimal, flag, integer, number, text, timestamp, type Table } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import { captured } from './foreign-messages.ts'
import { linesOf, rowsAfter, stepsOf } from './foreign-rows.ts'

const money = decimal({ digits: 12, scale: 4 })
const customers = table('customers', { key: 'customer_id' }, { customer_id: integer(), customer_name: text({ bytes: 80 }) })
const invoices = table(
  'invoices',
  { key: 'invoice_id' },
  {
    invoice_id: integer(),
    issue_date: timestamp(),
    issuer_id: integer(),
    receiver_id: integer(),
    amount_usd: decimal({ digits: 10, scale: 2 }),
  },
)
const lines = table(
  'invoice_line_items',
  { key: ['invoice_id', 'item_id'] },
  { invoice_id: integer(), item_id: integer(), quantity: integer(), unit_price: money, note: text({ bytes: 40 }) },
)
const skus = table(
  'skus',
  { key: 'sku' },
  { sku: text({ bytes: 20 }), name: text({ bytes: 80 }), price: money, weight_kg: decimal({ digits: 6, scale: 3 }) },
)
const accounts = table(
  'accounts',
  { key: 'account_id' },
  {
    account_id: integer(),
    big: decimal({ digits: 38, scale: 10 }),
    opened: date(),
    updated_at: timestamp(),
    at_ms: timestamp(),
    rate: number(),
    score: number(),
    active: flag(),
    meta: text({ bytes: 40 }),
    tags: text({ bytes: 40 }),
    raw: text({ bytes: 10 }),
    document: text({ bytes: 3000 }),
  },
)
const accountsFull: Table = { ...accounts, name: 'accounts_full' }
/** The columns in which a database may have what is no number. */
const scores = table(
  'accounts',
  { key: 'account_id' },
  { account_id: integer(), rate: number(), score: number(), balance: decimal({ digits: 38, scale: 2 }) },
)

/** What one decoder makes of a table's topic, partition by partition. */
async function changesOf(file: string, prefix: string, of: Table): Promise<readonly Changes[]> {
  const decode = foreignDecoder({ ...of, format: 'debezium' }, undefined)
  const all: Changes[] = []
  for (const messages of captured(`${file}.jsonl`, `${prefix}.${of.name}`)) all.push(await decode(messages))
  expect(all.length).toBeGreaterThan(0)
  return all
}

const rowsOf = async (file: string, prefix: string, of: Table) =>
  rowsAfter((await changesOf(file, prefix, of)).flatMap((changes) => stepsOf(changes, of)))

const reasonsOf = (all: readonly Changes[]) => all.flatMap(({ dead }) => dead.map(({ reason }) => reason))

const modes = {
  schemas: 'schemas.public',
  plain: 'plain.public',
  strings: 'strings.public',
  doubles: 'doubles.public',
  flat: 'flat.public',
} as const
const all = Object.keys(modes) as (keyof typeof modes)[]

const account1 = (big: string) =>
  [
    `1 | ${big} | 2026-03-29 | 2026-03-28T23:30:00.123456Z | 2026-03-29T02:30:00.123Z | 1.1 | 0.2 | true`,
    '{"a": [1, 2.50, "é"]} | ["x","y,z",null] | AP8Q | short now',
  ].join(' | ')
const account3 = '3 | ∅ | 0001-01-01 | 1969-12-31T23:59:59.999999Z | 1900-01-01T00:00:00Z | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅'
const big = '1234567890123456789012345678.0123456789'

describe('the captures', () => {
  it('are the messages that connectors wrote', () => {
    const folder = join(import.meta.dirname, 'fixtures/cdc')
    const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n')
    const files = readdirSync(folder).filter((name) => /\.(jsonl?|sql)$/.test(name))
    const sumOf = (name: string) => createHash('sha256').update(readFileSync(join(folder, name)))
    expect(files.sort().map((name) => `${sumOf(name).digest('hex')}  ${name}`)).toEqual(sums)
  })
})

describe('captures of PostgreSQL', () => {
  it.each(all)('%s: customers are as the statements left them', async (mode) => {
    expect(await rowsOf(`pg-${mode}`, modes[mode], customers)).toEqual([
      '1 | Ada',
      '2 | ∅',
      '3 | ∅',
      '5 | Edsger',
      '70 | kept',
      '9 | kept too',
    ])
  })

  it.each(all)('%s: invoices are, but for microseconds where Connect keeps none', async (mode) => {
    const [first, second] = mode === 'strings' ? ['678', '999'] : ['678901', '999999']
    expect(await rowsOf(`pg-${mode}`, modes[mode], invoices)).toEqual([
      `1 | 2026-01-02T03:04:05.${first}Z | 1 | 2 | 99999998.99`,
      `2 | 2026-02-28T23:59:59.${second}Z | 2 | 1 | -1.01`,
      '4 | 2026-04-01T00:00:00Z | 5 | 1 | 29.12',
    ])
  })

  it.each(all)('%s: a NULL was its column’s default on the way, and nothing can tell it from one', async (mode) => {
    const [{ rows }] = (await changesOf(`pg-${mode}`, modes[mode], invoices)) as [Changes]
    expect(linesOf(rows)[2]).toBe('3 | 1970-01-01T00:00:00Z | 1 | 3 | ∅')
  })

  it.each(all)('%s: a table that was emptied is empty where the connector tells', async (mode) => {
    const told = mode === 'schemas' || mode === 'plain'
    expect(await rowsOf(`pg-${mode}`, modes[mode], lines)).toEqual(
      told ? [] : ['1 | 1 | 3 | 0.3333 | first', '1 | 2 | 1 | 12345678.9012 | ∅', '4 | 1 | 2 | 10.0500 | a', '4 | 2 | 1 | 10.0000 | b'],
    )
  })

  it.each(all)('%s: skus keep their rows when columns come and go', async (mode) => {
    const changes = await changesOf(`pg-${mode}`, modes[mode], skus)
    // A-1-new was written before the column was there; C-3 was given NULL, and the column has a default; D-4 came when the name was
    // dropped.
    expect(rowsAfter(changes.flatMap((one) => stepsOf(one, skus)))).toEqual([
      'A-1-new | anvil 🔨 | 11.2500 | ∅',
      'B-2 | bolt M8 | 0.0001 | 1.500',
      'C-3 | cog | 3.0000 | 1.500',
      'D-4 | ∅ | 4.0000 | 0.250',
    ])
    expect(changes[0]!.notes).toEqual([
      'skus: the source does not send weight_kg (any more): weight_kg is null from now on. Take it out of the definition, or bring it back',
      'skus: the source does not send name (any more): name is null from now on. Take it out of the definition, or bring it back',
    ])
  })

  it.each(all)('%s: accounts are, but for infinity, which is a dead letter', async (mode) => {
    const changes = await changesOf(`pg-${mode}`, modes[mode], accounts)
    const rounded = mode === 'doubles' ? '1234567890123456900000000000.0000000000' : big
    expect(rowsAfter(changes.flatMap((one) => stepsOf(one, accounts)))).toEqual([account1(rounded), account3])
    expect(reasonsOf(changes)).toEqual([
      mode === 'doubles'
        ? 'opened: "-5877611-06-21Z" is not a date of the form YYYY-MM-DD, nor a number of days since 1970'
        : 'opened: -2147472692 is not within the years 1 to 9999',
    ])
  })

  it.each(all)('%s: a large value that did not change is not sent, and keeps what it was', async (mode) => {
    const [{ rows, unsent }] = (await changesOf(`pg-${mode}`, modes[mode], accounts)) as [Changes]
    expect([...unsent]).toEqual([[1, ['document']]])
    const long = 'long text '.repeat(250)
    const steps = stepsOf((await changesOf(`pg-${mode}`, modes[mode], accounts))[0]!, accounts)
    expect(rowsAfter(steps.slice(0, 2))[0]!.endsWith(` | ${long}`)).toBe(true)
    expect(linesOf(rows)[1]!.endsWith(' | ∅')).toBe(true)
  })

  it.each(all)('%s: with REPLICA IDENTITY FULL it is sent, and the row is gone in the end', async (mode) => {
    const [changes] = (await changesOf(`pg-${mode}`, modes[mode], accountsFull)) as [Changes]
    expect(changes.unsent.size).toBe(0)
    expect(rowsAfter(stepsOf(changes, accountsFull))).toEqual([])
    expect(linesOf(changes.gone)).toEqual(['1'])
  })

  it.each(all)('%s: NaN and the infinities of numbers are null', async (mode) => {
    const rows = await rowsOf(`pg-${mode}`, modes[mode], scores)
    // The balance of account 1 has more digits than a decimal may have, and is rounded where decimals are doubles.
    expect(rows).toEqual([
      ...(mode === 'doubles' ? ['1 | 1.1 | 0.2 | 123456789012345680000000000000.00'] : []),
      '2 | ∅ | ∅ | ∅',
      '3 | ∅ | ∅ | 0.10',
    ])
  })

  it.each(['schemas', 'plain'] as const)('%s: a transaction is the same in all its changes, and its end counts them', async (mode) => {
    const [changes] = (await changesOf(`pg-${mode}`, modes[mode], customers)) as [Changes]
    const counted = new Map<string, number>()
    for (const origin of changes.origins)
      if (origin?.transaction !== undefined) counted.set(origin.transaction, (counted.get(origin.transaction) ?? 0) + 1)
    const marks: TransactionMark[] = []
    const decode = transactionDecoder({ ...customers, format: 'debezium' }, undefined)
    for (const messages of captured(`pg-${mode}.jsonl`, `${mode}.transaction`))
      marks.push(...((await decode(messages)) as TransactionMark[]))
    const ends = marks.filter(({ kind, changes: counts }) => kind === 'end' && counts.has('public.customers'))
    expect(ends.map(({ transaction, changes: counts }) => [transaction, counts.get('public.customers')])).toEqual([...counted])
    expect(marks.filter(({ kind }) => kind === 'begin').length).toBeGreaterThanOrEqual(ends.length)
    expect(new Set(changes.origins.map((origin) => origin?.collection))).toEqual(new Set(['public.customers', undefined]))
  })

  it('tells the place, the run and the part of the snapshot of each change', async () => {
    const [{ origins }] = (await changesOf('pg-plain', 'plain.public', skus)) as [Changes]
    expect(origins.slice(0, 3)).toEqual([
      {
        connector: 'plain',
        collection: 'public.skus',
        op: 'r',
        snapshot: 'first of table',
        transaction: undefined,
        place: { of: 'postgres', transaction: 744n, lsn: 22214280n, commit: null },
        run: '01a21dff-0431-72e9-a5f6-e56551acba85',
      },
      {
        connector: 'plain',
        collection: 'public.skus',
        op: 'r',
        snapshot: 'last',
        transaction: undefined,
        place: { of: 'postgres', transaction: 744n, lsn: 22214280n, commit: null },
        run: '01a21dff-0431-72e9-a5f6-e56551acba85',
      },
      {
        connector: 'plain',
        collection: 'public.skus',
        op: 'd',
        snapshot: 'no',
        transaction: '765',
        place: { of: 'postgres', transaction: 765n, lsn: 22245416n, commit: 22245416n },
        run: undefined,
      },
    ])
  })

  it('flattened, has of the place what the transformation adds', async () => {
    const [{ origins }] = (await changesOf('pg-flat', 'flat.public', skus)) as [Changes]
    expect(origins[0]).toEqual({
      connector: 'flat',
      collection: '',
      op: 'r',
      snapshot: 'no',
      transaction: undefined,
      place: { of: 'postgres', transaction: 753n, lsn: 22242632n, commit: null },
      run: '01a21dff-0f65-7fd0-baee-b1c491ce8758',
    })
    expect(origins.at(-1)?.op).toBe('c')
  })

  it('NULLs kept and decimals as numbers, over partitions, in the order of their places', async () => {
    const orderOf = (place: NonNullable<Changes['origins'][number]>['place']) =>
      place?.of === 'postgres' ? [place.commit ?? -1n, place.lsn] : [2n ** 62n, 0n]
    const sorted = async (of: Table) => {
      const steps = (await changesOf('pg-exact', 'exact.public', of)).flatMap((one) => stepsOf(one, of))
      // A tombstone has no place, and does nothing.
      const placed = steps.map((step) => ({ step, at: orderOf(step.of.origins[step.message]!.place) as [bigint, bigint] }))
      return rowsAfter(placed.sort((a, b) => Number(a.at[0] - b.at[0]) || Number(a.at[1] - b.at[1])).map(({ step }) => step))
    }
    const many = Array.from({ length: 31 }, (_, i) => `${i < 5 ? 1200 + i : 200 + i} | many ${200 + i}`)
    const others = [
      '1 | Ada',
      '2 | Grüße 🦀 — 株式会社',
      '3 | ∅',
      '101 | a1, first to write',
      '102 | b1',
      '103 | a2, last to commit',
      '301 | ∅',
    ]
    expect(await sorted(customers)).toEqual([...many, ...others].sort())
    expect(await sorted(lines)).toEqual(['9 | 1 | 1 | 1.0000 | after the truncate'])
    expect(await sorted(skus)).toEqual(['A-1 | anvil 🔨 | 10.5000 | ∅', 'B-2 | bolt | 0.0001 | ∅'])
    const rows = await sorted(invoices)
    expect(rows.map((row) => row.split(' | ')).map(([id, , ...rest]) => [id, ...rest].join(' | '))).toEqual([
      '1 | 1 | 2 | 99999999.99',
      '2 | 2 | 1 | -0.01',
      '3 | 1 | 3 | ∅',
      '4 | 101 | ∅ | 1.00',
      '5 | 102 | ∅ | 2.00',
      '6 | 301 | ∅ | 12345678.90',
    ])
    expect(rows.filter((row) => row.includes('∅ | 301') || row.startsWith('3 | ∅'))).toHaveLength(2)
  })

  it('a snapshot that was asked for has no place in the log of the database', async () => {
    const changes = await changesOf('pg-exact', 'exact.public', skus)
    const asked = changes.flatMap(({ origins }) => origins).filter((origin) => origin?.snapshot === 'incremental')
    expect(asked.map((origin) => [origin?.op, origin?.place, origin?.transaction])).toEqual([
      ['r', undefined, undefined],
      ['r', undefined, undefined],
    ])
  })

  const load = table('load_a', { key: 'id' }, { id: integer(), tx: integer() })

  it('what was sent again after a crash is the same row at the same place, with another commit before it', async () => {
    const [changes] = (await changesOf('pg-crash-at-least-once', 'alo2.public', load)) as [Changes]
    const texts = linesOf(changes.rows)
    const seen = new Map<string, bigint | null>()
    const commits: (readonly [bigint | null, bigint | null])[] = []
    for (const [row, message] of [...changes.put].entries()) {
      const { op, place } = changes.origins[message]!
      if (place?.of !== 'postgres') throw new Error('it has no place')
      const what = `${place.lsn} ${op} ${texts[row]}`
      if (seen.has(what)) commits.push([seen.get(what)!, place.commit])
      else seen.set(what, place.commit)
    }
    expect(commits).toHaveLength(14)
    expect(commits.every(([first, again]) => first !== again)).toBe(true)
    expect(changes.put.length).toBe(captured('pg-crash-at-least-once.jsonl', 'alo2.public.load_a')[0]!.count)
  })

  it('nothing is sent twice where Connect writes exactly once', async () => {
    const [changes] = (await changesOf('pg-crash-exactly-once-read-committed', 'eos.public', load)) as [Changes]
    const places = changes.origins.map((origin) => (origin?.place?.of === 'postgres' ? `${origin.place.lsn} ${origin.op}` : ''))
    expect(new Set(places).size).toBe(places.length)
    expect(reasonsOf([changes])).toEqual([])
  })

  it('heartbeats, logical messages, changes of schemas and tombstones say nothing', async () => {
    const quiet = [
      ['pg-schemas', '__debezium-heartbeat.schemas'],
      ['pg-plain', '__debezium-heartbeat.plain'],
      ['pg-schemas', 'schemas.message'],
      ['pg-plain', 'plain.message'],
      ['pg-flat', 'flat.message'],
      ['mariadb-plain', '__debezium-heartbeat.mdb'],
      ['mariadb-plain', 'mdb'],
    ] as const
    for (const [file, topic] of quiet) {
      const changes = (await foreignDecoder({ ...customers, format: 'debezium' }, undefined)(captured(`${file}.jsonl`, topic)[0]!))!
      expect([topic, changes.said.length > 0, [...changes.said].filter((said) => said !== 0), changes.dead]).toEqual([topic, true, [], []])
    }
  })
})

describe('captures of MariaDB', () => {
  const mariadbAccounts = table(
    'accounts',
    { key: 'account_id' },
    {
      account_id: integer(),
      big: decimal({ digits: 38, scale: 10 }),
      opened: date(),
      updated_at: timestamp(),
      at_dt: timestamp(),
      y: integer(),
      flag: flag(),
      tiny: integer(),
      u: decimal({ digits: 20, scale: 0 }),
      score: number(),
      kind: text({ bytes: 5 }),
    },
  )
  const modes = { plain: 'mdb.shop', strings: 'mdbstr.shop' } as const
  const both = ['plain', 'strings'] as const

  it.each(both)('%s: customers and skus are as the statements left them', async (mode) => {
    expect(await rowsOf(`mariadb-${mode}`, modes[mode], customers)).toEqual(['1 | Ada', '2 | ∅', '3 | ∅', '50 | Edsger'])
    expect(await rowsOf(`mariadb-${mode}`, modes[mode], skus)).toEqual([
      'A-1 | anvil 🔨 | 10.5000 | ∅',
      'B-2 | bolt M8 | 0.0001 | 1.500',
      // NULL, where NULLs are kept.
      `C-3 | cog | 3.0000 | ${mode === 'plain' ? '1.500' : '∅'}`,
      'D-4 | ∅ | 4.0000 | 0.250',
    ])
  })

  it.each(both)('%s: invoices are, but for microseconds where Connect keeps none, and lines where a TRUNCATE is not told', async (mode) => {
    const [first, second] = mode === 'strings' ? ['678', '999'] : ['678901', '999999']
    expect(await rowsOf(`mariadb-${mode}`, modes[mode], invoices)).toEqual([
      `1 | 2026-01-02T03:04:05.${first}Z | 1 | 2 | 99999998.99`,
      `2 | 2026-02-28T23:59:59.${second}Z | 2 | 1 | -1.01`,
      '4 | 2026-04-01T00:00:00Z | 5 | 1 | 29.11',
    ])
    const left = [
      '1 | 1 | 3 | 0.3333 | first',
      '1 | 2 | 1 | 12345678.9012 | ∅',
      '4 | 1 | 2 | 10.0500 | a',
      '4 | 2 | 1 | 10.0000 | b',
      '4 | 3 | 1 | 1.0000 | c',
    ]
    expect(await rowsOf(`mariadb-${mode}`, modes[mode], lines)).toEqual(mode === 'plain' ? [] : left)
  })

  it.each(both)('%s: accounts are, but for the largest BIGINT UNSIGNED, which comes as -1 unless it is sent precisely', async (mode) => {
    const u = mode === 'plain' ? '-1' : '18446744073709551615'
    expect(await rowsOf(`mariadb-${mode}`, modes[mode], mariadbAccounts)).toEqual([
      `1 | ${big} | 2026-03-29 | 2026-03-28T23:30:00.123456Z | 2026-03-29T02:30:00Z | 2026 | true | 3 | ${u} | 0.2 | b`,
      '2 | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅ | ∅',
    ])
  })

  it('a transaction is its GTID, and a place is of the binlog', async () => {
    const [{ origins }] = (await changesOf('mariadb-plain', 'mdb.shop', invoices)) as [Changes]
    expect(origins[6]).toEqual({
      connector: 'mdb',
      collection: 'shop.invoices',
      op: 'u',
      snapshot: 'no',
      transaction: '0-1-28',
      place: { of: 'mysql', file: 'binlog.000001', position: 10982n, row: 1, gtid: '0-1-28' },
      run: undefined,
    })
    const decode = transactionDecoder({ ...invoices, format: 'debezium' }, undefined)
    const marks = (await decode(captured('mariadb-plain.jsonl', 'mdb.transaction')[0]!)) as TransactionMark[]
    expect(marks.find(({ kind, transaction }) => kind === 'end' && transaction === '0-1-18')?.changes).toEqual(
      new Map([
        ['shop.customers', 1],
        ['shop.invoices', 2],
        ['shop.invoice_line_items', 3],
      ]),
    )
  })
})
