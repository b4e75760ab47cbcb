/**
 * `npm run bench:tables`: what it costs to take in changes of big tables on disk, and to find the joined rows that they change: batch by
 * batch, each step by itself.
 */
import { join } from 'node:path'
import { textsFrom } from '../utilities/sql/cells.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import type { Joined, StoredTable, Tables } from '../utilities/tables.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { randomFrom } from '../test/seeded.ts'
import { text, wordsOf } from './options.ts'
import { table, wholeNumber } from './report.ts'
import { inScratch } from './scratch.ts'

const whole = { kind: 'integer' } as const
const words = { kind: 'text' } as const
const money = { kind: 'decimal', digits: 10, scale: 2 } as const
const accounts: StoredTable = { name: 'accounts', key: ['account_id'], fields: { account_id: words, name: words, country: words } }
const skus: StoredTable = { name: 'skus', key: ['item_id'], fields: { item_id: words, price: money } }
const invoices: StoredTable = {
  name: 'invoices',
  key: ['invoice_id'],
  fields: { invoice_id: whole, account_id: words, issued: { kind: 'date' }, paid: { kind: 'date' } },
}
const lines: StoredTable = {
  name: 'lines',
  key: ['invoice_id', 'item_id'],
  fields: { invoice_id: whole, item_id: words, quantity: whole, note: words },
}
const all = [accounts, skus, invoices, lines]
const sale: Joined = {
  of: lines,
  join: {
    invoice: { table: invoices, on: ['invoice_id'], optional: false },
    account: { table: accounts, on: ['invoice.account_id'], optional: false },
    sku: { table: skus, on: ['item_id'], optional: false },
  },
  wanted: ['invoice_id', 'item_id', 'quantity', 'invoice.issued', 'invoice.paid', 'invoice.account_id', 'account.name', 'sku.price'],
}

const linesOfInvoice = 4
const { rows: rowsWord, changes: changesWord, batches: batchesWord } = wordsOf({ rows: text, changes: text, batches: text })
const size = Number(rowsWord ?? 1_000_000)
const [invoiceCount, accountCount, skuCount] = [size / linesOfInvoice, Math.ceil(size / 40), 5_000]
const random = randomFrom(16)
const below = (count: number) => Math.floor(random() * count)

const integers = (values: readonly number[]): Column => ({ kind: 'integer', values: Float64Array.from(values) })
const days = (values: readonly number[]): Column => ({ kind: 'date', days: Int32Array.from(values) })
const texts = (values: readonly string[]) => textsFrom(values)
const columns = (count: number, byName: { readonly [name: string]: Column }): Columns => ({
  count,
  byName: new Map(Object.entries(byName)),
})
const accountId = (n: number) => `account-${String(n).padStart(8, '0')}`
const itemId = (n: number) => `item-${String(n % skuCount).padStart(6, '0')}`
const known = (count: number): Column => ({ kind: 'long', values: new BigInt64Array(count).fill(1_790_000_000_000_000_000n) })

const accountRows = (ids: readonly number[], word: string) =>
  columns(ids.length, {
    account_id: texts(ids.map(accountId)),
    name: texts(ids.map((id) => `${word} name of account ${id}`)),
    country: texts(ids.map((id) => `C${id % 90}`)),
    _known: known(ids.length),
  })
const invoiceRows = (ids: readonly number[], paid: number) =>
  columns(ids.length, {
    invoice_id: integers(ids),
    account_id: texts(ids.map((id) => accountId((id * 7919) % accountCount))),
    issued: days(ids.map((id) => 19_000 + (id % 700))),
    paid: days(ids.map((id) => paid + (id % 30))),
    _known: known(ids.length),
  })
type Line = readonly [invoice: number, item: number]
const lineRows = (ids: readonly Line[], word: string) =>
  columns(ids.length, {
    invoice_id: integers(ids.map(([invoice]) => invoice)),
    item_id: texts(ids.map(([, item]) => itemId(item))),
    quantity: integers(ids.map(() => 1 + below(20))),
    note: texts(ids.map(([invoice]) => `${word} note of a line of invoice ${invoice}`)),
    _known: known(ids.length),
  })
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const lineOf = (n: number): Line => [Math.floor(n / linesOfInvoice), (n * 613) % skuCount]

/** The first rows of all. */
function fill(tables: Tables): void {
  tables.renew(all)
  const items = upTo(0, skuCount)
  const price: Column = { kind: 'decimal', scale: 2, values: Float64Array.from(items) }
  tables.stage('skus', columns(skuCount, { item_id: texts(items.map(itemId)), price }))
  const inParts = (count: number, stage: (from: number, to: number) => void) => {
    for (let from = 0; from < count; from += 50_000) stage(from, Math.min(count, from + 50_000))
  }
  inParts(accountCount, (from, to) => tables.stage('accounts', accountRows(upTo(from, to), 'first')))
  inParts(invoiceCount, (from, to) => tables.stage('invoices', invoiceRows(upTo(from, to), 19_100)))
  inParts(size, (from, to) => tables.stage('lines', lineRows(upTo(from, to).map(lineOf), 'first')))
  tables.settle({ commit: 1, token: '' })
}

/** Of a hundred changes 49 are new lines of 13 new invoices, 25 other lines, 12 invoices that are paid, one an account that is renamed. */
function changesOf(count: number, batch: number): readonly (readonly [table: string, rows: Columns])[] {
  const share = (percent: number) => Math.round((count * percent) / 100)
  const [first, added] = [invoiceCount + batch * share(13), share(13)]
  const some = (many: number, of: number) => [...new Set(Array.from({ length: many }, () => below(of)))]
  const newLines = upTo(first * linesOfInvoice, first * linesOfInvoice + share(49))
  return [
    ['invoices', invoiceRows([...upTo(first, first + added), ...some(share(12), invoiceCount)], 19_200 + (batch % 50))],
    ['lines', lineRows([...newLines, ...some(share(25), size)].map(lineOf), `batch ${batch}`)],
    ['accounts', accountRows(some(share(1), accountCount), `batch ${batch}`)],
  ]
}

const steps = ['stage', 'list', 'both', 'settle', 'before', 'after', 'known', 'changes'] as const
/** Those that every change needs, whatever is written of it; `before`, `after` and `known` are the plain twin of `both`. */
const needed = new Set<string>(['stage', 'list', 'both', 'settle'])

/** The processor's time is less of a chance than the clock's on a machine that does other things as well. */
function measure(tables: Tables, count: number, batches: number, firstBatch: number): readonly string[] {
  const micros = new Map<string, number>(steps.map((step) => [step, 0]))
  const batchMs: number[] = []
  let [changes, joined] = [0, 0]
  for (let batch = firstBatch; batch < firstBatch + batches; batch++) {
    let ms = 0
    const timed = <T>(step: (typeof steps)[number], work: () => T): T => {
      const [began, cpu] = [performance.now(), process.cpuUsage()]
      const result = work()
      const { user, system } = process.cpuUsage(cpu)
      micros.set(step, micros.get(step)! + user + system)
      if (needed.has(step)) ms += performance.now() - began
      return result
    }
    const made = changesOf(count, batch)
    timed('stage', () => made.forEach(([name, rows]) => tables.stage(name, rows)))
    changes += all.reduce((sum, { name }) => sum + tables.staged(name), 0)
    timed('changes', () => all.forEach(({ name }) => [...tables.changes(name, 0)]))
    const found = timed('list', () => tables.list(sale, { all: false }))
    joined += found
    const inParts = (work: (from: number, to: number) => void) => {
      for (let from = 0; from < found; from += 2_500) work(from, Math.min(found, from + 2_500))
    }
    timed('both', () => inParts((from, to) => tables.both(sale, 'affected', from, to)))
    timed('known', () => inParts((from, to) => tables.known('affected', from, to)))
    timed('before', () => inParts((from, to) => tables.rows(sale, 'before', 'affected', from, to)))
    timed('after', () => inParts((from, to) => tables.rows(sale, 'after', 'affected', from, to)))
    timed('settle', () => tables.settle({ commit: batch + 2, token: '' }))
    batchMs.push(ms)
  }
  const usualMs = batchMs.toSorted((a, b) => a - b)[Math.floor(batches / 2)]!
  return [
    wholeNumber(count),
    (joined / changes).toFixed(2),
    ...[...micros.values()].map((one) => (one / changes).toFixed(1)),
    usualMs.toFixed(1),
    wholeNumber(Math.round((changes / batches / usualMs) * 1000)),
  ]
}

await inScratch(async ({ dir }) => {
  const tables = openSqliteTables(join(dir, 'tables.db'))
  const began = performance.now()
  fill(tables)
  console.log(`${wholeNumber(size)} lines, first rows: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  // The first list makes the indexes.
  measure(tables, 100, 1, 0)
  const measured = (changesWord ?? '1000,10000')
    .split(',')
    .map((count, i) => measure(tables, Number(count), Number(batchesWord ?? 20), 1_000 * (i + 1)))
  console.log(
    table(['changes a batch', 'joined rows a change', ...steps.map((step) => `${step}, µs`), 'ms a batch', 'changes/s'], measured),
  )
  console.log(
    'Steps: µs of the processor for each change. A batch, by the clock, is the middle one: staged, listed, read in both states, settled.',
  )
  tables.close()
})
