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

/** Of a hundred changes 50 are new lines of new invoices, 12 these invoices, 25 other lines, 12 paid invoices, one a renamed account. */
function stageChanges(tables: Tables, count: number, batch: number): void {
  const share = (percent: number) => Math.round((count * percent) / 100)
  const [first, added] = [invoiceCount + batch * share(13), share(13)]
  const paid = new Set(Array.from({ length: share(12) }, () => below(invoiceCount)))
  const changed = new Map(Array.from({ length: share(25) }, () => below(size)).map((n) => [n, lineOf(n)]))
  tables.stage('invoices', invoiceRows([...upTo(first, first + added), ...paid], 19_200 + (batch % 50)))
  const newLines = upTo(first * linesOfInvoice, first * linesOfInvoice + share(49)).map(lineOf)
  tables.stage('lines', lineRows([...newLines, ...changed.values()], `batch ${batch}`))
  tables.stage('accounts', accountRows([...new Set(Array.from({ length: share(1) }, () => below(accountCount)))], `batch ${batch}`))
}

const steps = ['stage', 'changes', 'list', 'known', 'before', 'after', 'settle'] as const

function measure(tables: Tables, count: number, batches: number, firstBatch: number): readonly string[] {
  const ms = new Map<string, number>(steps.map((step) => [step, 0]))
  const cpuMicros = () => {
    const { user, system } = process.cpuUsage()
    return user + system
  }
  const timed = <T>(step: (typeof steps)[number], work: () => T): T => {
    const began = performance.now()
    const result = work()
    ms.set(step, ms.get(step)! + performance.now() - began)
    return result
  }
  const batchMs: number[] = []
  const spent = () => [...ms].reduce((sum, [step, one]) => (step === 'changes' ? sum : sum + one), 0)
  let [changes, joined] = [0, 0]
  let cpu = 0
  for (let batch = 0; batch < batches; batch++) {
    const spentBefore = spent()
    const cpuBefore = cpuMicros()
    timed('stage', () => stageChanges(tables, count, firstBatch + batch))
    changes += all.reduce((sum, { name }) => sum + tables.staged(name), 0)
    timed('changes', () => all.forEach(({ name }) => [...tables.changes(name, 0)]))
    const found = timed('list', () => tables.list(sale, { all: false }))
    joined += found
    const inParts = (work: (from: number, to: number) => void) => {
      for (let from = 0; from < found; from += 2_500) work(from, Math.min(found, from + 2_500))
    }
    timed('known', () => inParts((from, to) => tables.known('affected', from, to)))
    timed('before', () => inParts((from, to) => tables.rows(sale, 'before', 'affected', from, to)))
    timed('after', () => inParts((from, to) => tables.rows(sale, 'after', 'affected', from, to)))
    timed('settle', () => tables.settle({ commit: firstBatch + batch + 2, token: '' }))
    cpu += cpuMicros() - cpuBefore
    batchMs.push(spent() - spentBefore)
  }
  const each = [...ms.values()].map((one) => ((one * 1000) / changes).toFixed(1))
  const usualMs = batchMs.toSorted((a, b) => a - b)[Math.floor(batches / 2)]!
  return [
    wholeNumber(count),
    (joined / changes).toFixed(2),
    ...each,
    (cpu / changes).toFixed(1),
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
  const lineOfReport = (changesWord ?? '1000,10000')
    .split(',')
    .map((count, i) => measure(tables, Number(count), Number(batchesWord ?? 20), 1_000 * (i + 1)))
  console.log(
    table(
      [
        'changes a batch',
        'joined rows a change',
        ...steps.map((step) => `${step}, µs`),
        'processor, µs',
        'ms a batch (median)',
        'changes/s without changes()',
      ],
      lineOfReport,
    ),
  )
  tables.close()
})
