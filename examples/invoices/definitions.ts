/** A shop: its tables, a fact for each line of an invoice, and what is asked of its accounts, its items, its months and all of it. */
import {
  date,
  decimal,
  distinct,
  fact,
  featureSet,
  flag,
  integer,
  last,
  list,
  max,
  mean,
  median,
  quantile,
  sum,
  table,
  text,
} from '../../feature-defs/language.ts'

const id = text({ bytes: 40 })
const name = text({ bytes: 200 })
const price = decimal({ digits: 12, scale: 2 })

// Tables: rows by key, as the shop's database has them now.
export const accounts = table('accounts', { key: 'account_id' }, { account_id: id, company_name: name, contact_name: name, email: name })
export const skus = table('skus', { key: 'item_id' }, { item_id: id, item_name: name, item_retail_price: price })
export const invoices = table(
  'invoices',
  { key: 'invoice_id' },
  { invoice_id: integer(), account_id: id, period: text({ bytes: 7 }), date_issued: date(), date_paid: date() },
)
export const lines = table('lines', { key: ['invoice_id', 'item_id'] }, { invoice_id: integer(), item_id: id, quantity: integer() })

// A fact for each row of `lines`, with what it refers to: it changes when any of them changes, and is gone when one that it needs is gone.
export const saleLine = fact(
  'sale_line',
  {
    of: lines,
    at: 'date_issued',
    join: { invoice: [invoices, 'invoice_id'], account: [accounts, 'invoice.account_id'], sku: [skus, 'item_id'] },
  },
  {
    invoice_id: integer(),
    item_id: id,
    quantity: integer(),
    account_id: text({ bytes: 40, from: 'invoice.account_id' }),
    company_name: text({ bytes: 200, from: 'account.company_name' }),
    contact_name: text({ bytes: 200, from: 'account.contact_name' }),
    email: text({ bytes: 200, from: 'account.email' }),
    period: text({ bytes: 7, from: 'invoice.period' }),
    date_issued: date({ from: 'invoice.date_issued', nullable: false }),
    item_name: text({ bytes: 200, from: 'sku.item_name' }),
    amount: decimal({ digits: 14, scale: 2, sql: 'quantity * sku.item_retail_price' }),
    unpaid: flag({ sql: 'invoice.date_paid is null' }),
    paid_late: flag({ sql: 'invoice.date_paid - invoice.date_issued > 30' }),
    paid_in_time: flag({ sql: 'invoice.date_paid - invoice.date_issued <= 30' }),
  },
)

export const accountInvoices = featureSet(
  { name: 'account_invoices', of: saleLine, per: 'account_id' },
  {
    business: last('company_name', { all: true }),
    owing: sum('amount', { all: true, when: 'unpaid' }),
    overdue: sum('amount', { olderThanDays: 30, when: 'unpaid' }),
    late: distinct('invoice_id', { all: true, when: 'paid_late' }),
    in_time: distinct('invoice_id', { all: true, when: 'paid_in_time' }),
    late_share: mean('paid_late', { all: true, round: 4 }),
    invoices: distinct('invoice_id', { all: true }),
    invoices_30d: distinct('invoice_id', { days: 30 }),
    invoices_90d: distinct('invoice_id', { days: 90 }),
    last_ten: mean('amount', { last: 10, round: 2 }),
    largest: max('amount', { all: true }),
    middle: median('amount', { days: 365, round: 2 }),
    high: quantile('amount', { p: 0.9, all: true, round: 2 }),
    items: distinct('item_id', { all: true }),
    products: list('item_name', { all: true, bytes: 400 }),
  },
)

export const itemSales = featureSet(
  { name: 'item_sales', of: saleLine, per: 'item_id' },
  {
    item: last('item_name', { all: true }),
    sold: sum('quantity', { all: true }),
    sold_90d: sum('quantity', { days: 90 }),
    revenue: sum('amount', { all: true }),
    buyers: distinct('account_id', { all: true }),
  },
)

export const accountMonths = featureSet(
  { name: 'account_months', of: saleLine, per: ['account_id', 'period'] },
  { revenue: sum('amount', { all: true }), invoices: distinct('invoice_id', { all: true }) },
)

export const shopTotals = featureSet(
  { name: 'shop_totals', of: saleLine },
  {
    revenue_this_month: sum('amount', { months: 1 }),
    invoices_this_month: distinct('invoice_id', { months: 1 }),
    owing: sum('amount', { all: true, when: 'unpaid' }),
    overdue: sum('amount', { olderThanDays: 30, when: 'unpaid' }),
  },
)
