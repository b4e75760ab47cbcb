/**
 * The shop as the topics of its database: a snapshot of four tables, and then changes by transaction, as Debezium sends them without
 * schemas and with decimals as text. A transaction makes out an invoice like one that there was, with its lines, and has that one paid; now
 * and then it gives an item another price, or an account another name.
 */
import type { Shop } from '../examples/invoices/shop.ts'
import { dayText } from '../utilities/values/day.ts'
import type { ShopData } from './shop-data.ts'

/** As a connector gives it to its producer. */
export type Sent = { readonly topic: string; readonly key: string; readonly value: string }

type TableName = keyof Shop
type Row = (string | number | null)[]

export type ShopTopics = {
  /** Every row of every table, once. */
  readonly snapshot: () => Iterable<Sent>
  /** So many changes, and what the topic of transactions says of them: to be sent in this order. */
  readonly changes: () => Iterable<Sent>
  readonly rows: number
  /** How many changes there are, without the ends of their transactions. */
  readonly count: number
  /** What the shop is once all of it has been read. */
  readonly after: ShopData
}

const columns: { readonly [table in TableName]: readonly string[] } = {
  accounts: ['account_id', 'company_name', 'contact_name', 'email'],
  skus: ['item_id', 'item_name', 'item_retail_price'],
  invoices: ['invoice_id', 'account_id', 'period', 'date_issued', 'date_paid'],
  lines: ['invoice_id', 'item_id', 'quantity'],
}
const keyColumns: { readonly [table in TableName]: number } = { accounts: 1, skus: 1, invoices: 1, lines: 2 }

export const shopTables = ['accounts', 'skus', 'invoices', 'lines'] as const
export const topicOf = (table: TableName): string => `shop.public.${table}`
export const transactionTopic = 'shop.transaction'

const [daysToPay, pricedEach, renamedEach] = [10, 500, 1_000]
const firstMs = 1_795_799_585_934
const dayOf = (date: Row[number]): number | null => (date === null ? null : Date.parse(String(date)) / 86_400_000)

export function shopTopics(data: ShopData, wanted: number): ShopTopics {
  const rows = Object.fromEntries(shopTables.map((table) => [table, [...data.rowsOf(table)].map((row): Row => [...row])])) as {
    readonly [table in TableName]: Row[]
  }
  const linesOf = Map.groupBy(rows.lines, ([invoice]) => invoice)
  const numbers = rows.invoices.map(([number]) => Number(number))
  const behind = Math.max(...numbers) - Math.min(...numbers) + 1
  // Each invoice once is enough: what is made out is another one than what is paid.
  const transactions: Change[][] = []
  const after = Object.fromEntries(shopTables.map((table) => [table, [...rows[table]]])) as typeof rows
  let count = 0
  for (let i = 0; count < wanted && i < rows.invoices.length; i++) {
    const paid = rows.invoices[i]!
    const made = [Number(paid[0]) + behind, paid[1]!, paid[2]!, paid[3]!, null]
    const lines = (linesOf.get(paid[0]!) ?? []).map(([, item, quantity]): Row => [made[0]!, item!, quantity!])
    const payment = [...paid.slice(0, 4), dayText(dayOf(paid[3]!)! + daysToPay)]
    const changes: Change[] = [
      { table: 'invoices', row: made },
      ...lines.map((row): Change => ({ table: 'lines', row })),
      { table: 'invoices', before: paid, row: payment },
    ]
    after.invoices[i] = payment
    after.invoices.push(made)
    after.lines.push(...lines)
    if (i % pricedEach === pricedEach - 1)
      changes.push(changed('skus', i / pricedEach, 2, (price) => price && (Number(price) * 1.1).toFixed(2)))
    if (i % renamedEach === renamedEach - 1) changes.push(changed('accounts', i / renamedEach, 1, (name) => `${name} & Co`))
    transactions.push(changes)
    count += changes.length
  }

  function changed(table: TableName, i: number, column: number, to: (cell: Row[number]) => Row[number]): Change {
    const at = Math.floor(i) % rows[table].length
    const before = after[table][at]!
    const row = before.with(column, to(before[column]!))
    after[table][at] = row
    return { table, before, row }
  }

  return {
    *snapshot() {
      for (const table of shopTables)
        for (const [i, row] of rows[table].entries()) {
          const isLast = i === rows[table].length - 1
          const marker = isLast ? (table === 'lines' ? 'last' : 'last_in_data_collection') : i === 0 ? 'first_in_data_collection' : 'true'
          yield sent({ table, row }, { snapshot: marker, transaction: 700, lsn: 22_000_000, commit: null, order: null, ms: firstMs })
        }
    },
    *changes() {
      let [lsn, commit] = [22_245_000, 22_244_000]
      for (const [i, changes] of transactions.entries()) {
        const place = { snapshot: 'false', transaction: 701 + i, commit, ms: firstMs + 1_000 + i }
        for (const [order, change] of changes.entries()) yield sent(change, { ...place, lsn: (lsn += 56), order: order + 1 })
        commit = lsn += 8
        yield end(701 + i, lsn, changes)
      }
    },
    rows: shopTables.reduce((sum, table) => sum + rows[table].length, 0),
    count,
    after: { ...data, rowsOf: (table) => after[table] },
  }
}

type Change = { readonly table: TableName; readonly before?: Row; readonly row: Row }

type Place = {
  readonly snapshot: string
  readonly transaction: number
  readonly lsn: number
  readonly commit: number | null
  readonly order: number | null
  readonly ms: number
}

const times = (ms: number) => ({ ts_ms: ms, ts_us: ms * 1000 + 552, ts_ns: (ms * 1000 + 552) * 1000 })

const named = (table: TableName, cells: Row, count = cells.length) =>
  Object.fromEntries(
    cells.slice(0, count).map((cell, i) => [columns[table][i]!, columns[table][i]!.startsWith('date_') ? dayOf(cell) : cell]),
  )

function sent({ table, before, row }: Change, { snapshot, transaction, lsn, commit, order, ms }: Place): Sent {
  const value = {
    before: before ? named(table, before) : null,
    after: named(table, row),
    source: {
      version: '3.6.1.Final',
      connector: 'postgresql',
      name: 'shop',
      snapshot,
      db: 'postgres',
      sequence: JSON.stringify([commit === null ? null : String(commit), String(lsn)]),
      ...times(ms),
      schema: 'public',
      table,
      txId: transaction,
      lsn,
      xmin: null,
      origin: null,
      origin_lsn: null,
    },
    transaction: order === null ? null : { id: `${transaction}:${lsn}`, total_order: order, data_collection_order: order },
    op: order === null ? 'r' : before ? 'u' : 'c',
    ...times(ms + 215),
  }
  return { topic: topicOf(table), key: JSON.stringify(named(table, row, keyColumns[table])), value: JSON.stringify(value) }
}

function end(transaction: number, lsn: number, changes: readonly Change[]): Sent {
  const collections = [...Map.groupBy(changes, ({ table }) => table)]
  const id = `${transaction}:${lsn}`
  const value = {
    status: 'END',
    id,
    event_count: changes.length,
    data_collections: collections.map(([table, own]) => ({ data_collection: `public.${table}`, event_count: own.length })),
    ts_ms: firstMs + 1_000 + transaction,
  }
  return { topic: transactionTopic, key: JSON.stringify({ id }), value: JSON.stringify(value) }
}
