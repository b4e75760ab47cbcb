/** Tables of a shop and the fact of each line that it sold: the invoice, its account and the article, as they are now. */
import { count, distinct, featureSet, list, mean, sum } from '../feature-defs/language.ts'
import { fact } from '../schemas/fact.ts'
import { date, decimal, flag, integer, text } from '../schemas/record.ts'
import { table } from '../schemas/table.ts'

export const accounts = table('accounts', { key: 'account_id' }, { account_id: text({ bytes: 40 }), company_name: text({ bytes: 200 }) })
export const skus = table(
  'skus',
  { key: 'item_id' },
  { item_id: text({ bytes: 40 }), item_name: text({ bytes: 200 }), item_retail_price: decimal({ digits: 12, scale: 2 }) },
)
export const invoices = table(
  'invoices',
  { key: 'invoice_id' },
  { invoice_id: integer(), account_id: text({ bytes: 40 }), date_issued: date(), date_paid: date() },
)
export const lines = table(
  'lines',
  { key: ['invoice_id', 'item_id'] },
  { invoice_id: integer(), item_id: text({ bytes: 40 }), quantity: integer() },
)

export const saleLine = fact(
  'sale_line',
  {
    of: lines,
    at: 'date_issued',
    join: { invoice: [invoices, 'invoice_id'], account: [accounts, 'invoice.account_id'], sku: [skus, 'item_id'] },
  },
  {
    invoice_id: integer(),
    item_id: text({ bytes: 40 }),
    account_id: text({ bytes: 40, from: 'invoice.account_id' }),
    company_name: text({ bytes: 200, from: 'account.company_name' }),
    date_issued: date({ from: 'invoice.date_issued', nullable: false }),
    item_name: text({ bytes: 200, from: 'sku.item_name' }),
    amount: decimal({ digits: 14, scale: 2, sql: 'quantity * sku.item_retail_price' }),
    unpaid: flag({ sql: 'invoice.date_paid is null' }),
    paid_late: flag({ sql: 'invoice.date_paid - invoice.date_issued > 30' }),
  },
)

export const accountInvoices = featureSet(
  { name: 'account_invoices', of: saleLine, per: 'account_id' },
  {
    owing: sum('amount', { all: true, when: 'unpaid' }),
    overdue: sum('amount', { olderThanDays: 30, when: 'unpaid' }),
    products: list('item_name', { all: true, bytes: 400 }),
    invoices_90d: distinct('invoice_id', { days: 90 }),
    late_share: mean('paid_late', { all: true, round: 4 }),
    lines_all: count('item_id', { all: true }),
  },
)
