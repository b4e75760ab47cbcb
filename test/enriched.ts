/**
 * Payments with what they refer to, as an event that waits: the invoice, its account by way of that, and an article that may be missing.
 */
import { fact } from '../schemas/fact.ts'
import { decimal, integer, record, text, timestamp } from '../schemas/record.ts'
import { accounts, invoices, skus } from './sale-lines.ts'

export const payment = record('payment', 'paid_at', {
  paid_at: timestamp({ nullable: false }),
  invoice_id: integer(),
  item_id: text({ bytes: 40 }),
  amount: decimal({ digits: 12, scale: 2 }),
  note: text({ bytes: 100 }),
  twice: decimal({ digits: 14, scale: 2, sql: 'amount * 2' }),
})

export const enriched = fact(
  'enriched',
  {
    of: payment,
    join: {
      invoice: [invoices, 'invoice_id', { waitMs: 1000 }],
      account: [accounts, 'invoice.account_id', { waitMs: 500 }],
      sku: [skus, 'item_id', { optional: true, waitMs: 200 }],
    },
  },
  {
    paid_at: timestamp({ nullable: false }),
    invoice_id: integer({ nullable: false }),
    company_name: text({ bytes: 200, from: 'account.company_name' }),
    item_name: text({ bytes: 6, from: 'sku.item_name' }),
    doubled: decimal({ digits: 14, scale: 2, from: 'twice' }),
    share: decimal({ digits: 12, scale: 4, sql: 'round(amount / sku.item_retail_price, 4)' }),
  },
)
