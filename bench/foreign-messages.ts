/** Messages of others for the benchmarks: payments as events, and invoices as changes of a database. */
import { date, decimal, integer, record, text, timestamp } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'
import type { Messages, Pieces } from '../utilities/feed.ts'

export const event = record('payment', 'paid_at', {
  account_id: text({ bytes: 40 }),
  paid_at: timestamp({ nullable: false }),
  amount: decimal({ digits: 12, scale: 2 }),
  invoice_id: integer(),
  method: text({ bytes: 20 }),
})

export const invoices = table(
  'invoices',
  { key: 'invoice_id' },
  {
    invoice_id: integer(),
    account_id: text({ bytes: 40 }),
    date_issued: date(),
    amount: decimal({ digits: 12, scale: 2 }),
    changed_at: timestamp(),
    note: text({ bytes: 80 }),
  },
)

const pad = (part: number) => String(part).padStart(2, '0')

export const payment = (i: number) => ({
  account_id: `acct-${100_000 + (i % 5000)}`,
  paid_at: `2026-${pad((i % 12) + 1)}-${pad((i % 28) + 1)}T12:34:${pad(i % 60)}.${pad(i % 99)}Z`,
  amount: (i % 100_000) / 100,
  invoice_id: 9_000_000 + i,
  method: 'card',
})

const row = (i: number, isPaid: boolean) => ({
  invoice_id: 9_000_000 + i,
  account_id: `acct-${100_000 + (i % 5000)}`,
  date_issued: 20_000 + (i % 400),
  amount: Buffer.of(1, i & 127, i & 63).toString('base64'),
  changed_at: 1_775_001_600_000_000 + i * 1_000_001,
  note: isPaid ? 'paid — thanks' : null,
})

const lsn = (i: number) => 22_245_000 + i * 56
const transaction = (i: number) => 700 + Math.floor(i / 5)
const times = (ms: number) => ({ ts_ms: ms, ts_us: ms * 1000 + 552, ts_ns: (ms * 1000 + 552) * 1000 })

export const envelope = (i: number) => ({
  before: row(i, false),
  after: row(i, true),
  source: {
    version: '3.6.1.Final',
    connector: 'postgresql',
    name: 'shop',
    snapshot: 'false',
    db: 'postgres',
    sequence: JSON.stringify([String(lsn(i - (i % 5))), String(lsn(i))]),
    ...times(1_795_799_585_934 + i),
    schema: 'public',
    table: 'invoices',
    txId: transaction(i),
    lsn: lsn(i),
    xmin: null,
    origin: null,
    origin_lsn: null,
  },
  transaction: { id: `${transaction(i)}:${lsn(i)}`, total_order: 1, data_collection_order: 1 },
  op: 'u',
  ...times(1_795_799_586_149 + i),
})

export const flat = (i: number) => ({ ...row(i, true), __deleted: 'false', __op: 'u', __source_lsn: lsn(i), __source_txId: transaction(i) })

/** So many of them, from one on. */
export function messagesOf(valueOf: (i: number) => object, from: number, count: number): Messages {
  const numbers = Array.from({ length: count }, (_, i) => from + i)
  return {
    count: count,
    offsets: Float64Array.from(numbers),
    times: Float64Array.from(numbers),
    keys: pieces(numbers.map((i) => `{"invoice_id":${9_000_000 + i}}`)),
    values: pieces(numbers.map((i) => JSON.stringify(valueOf(i)))),
    header: () => undefined,
    next: from + count,
    end: from + count,
  }
}

function pieces(texts: readonly string[]): Pieces {
  const all = texts.map((text) => Buffer.from(text))
  const ends = new Int32Array(all.length)
  let end = 0
  for (const [i, { length }] of all.entries()) ends[i] = end += length
  return { bytes: Buffer.concat(all), starts: ends.map((one, i) => one - all[i]!.length), ends }
}
