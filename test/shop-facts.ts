/**
 * Facts over four small tables, and what they are by plain JavaScript, row by row: required and optional joins, chains, keys of two fields,
 * dates that are computed, and amounts that do not always fit.
 */
import { fact, date, decimal, flag, integer, table, text } from '../feature-defs/language.ts'
import type { FactSchema } from '../schemas/fact.ts'
import type { Table } from '../schemas/record.ts'

const id = () => text({ bytes: 20 })
const accounts = table('accounts', { key: 'account_id' }, { account_id: id(), name: text({ bytes: 40 }) })
const skus = table('skus', { key: 'item_id' }, { item_id: id(), price: decimal({ digits: 6, scale: 2 }) })
export const invoices = table('invoices', { key: 'invoice_id' }, { invoice_id: integer(), account_id: id(), issued: date(), paid: date() })
export const lines = table(
  'lines',
  { key: ['invoice_id', 'item_id'] },
  { invoice_id: integer(), item_id: id(), quantity: integer(), day: date() },
)
export const shopTables: readonly Table[] = [accounts, invoices, lines, skus]

export const sale = fact(
  'sale',
  {
    of: lines,
    at: 'issued',
    join: { invoice: [invoices, 'invoice_id'], account: [accounts, 'invoice.account_id'], sku: [skus, 'item_id'] },
  },
  {
    invoice_id: integer(),
    item_id: id(),
    account_id: text({ bytes: 20, from: 'invoice.account_id' }),
    name: text({ bytes: 40, from: 'account.name' }),
    issued: date({ from: 'invoice.issued', nullable: false }),
    amount: decimal({ digits: 4, scale: 2, sql: 'quantity * sku.price' }),
    unpaid: flag({ sql: 'invoice.paid is null' }),
  },
)
/** Whatever it refers to may be missing. */
export const glance = fact(
  'glance',
  {
    of: lines,
    at: 'day',
    join: {
      invoice: [invoices, 'invoice_id', { optional: true }],
      account: [accounts, 'invoice.account_id', { optional: true }],
      sku: [skus, 'item_id', { optional: true }],
    },
  },
  {
    invoice_id: integer(),
    item_id: id(),
    day: date({ nullable: false }),
    name: text({ bytes: 40, from: 'account.name' }),
    issued: date({ from: 'invoice.issued' }),
    price: decimal({ digits: 6, scale: 2, from: 'sku.price' }),
  },
)
/** Its date is computed, and of an invoice without any there is no fact. */
const due = fact(
  'due',
  { of: invoices, at: 'at', join: { account: [accounts, 'account_id'] } },
  {
    invoice_id: integer(),
    account_id: id(),
    name: text({ bytes: 40, from: 'account.name' }),
    at: date({ sql: 'coalesce(paid, issued)', nullable: false }),
  },
)
export const shopFacts: readonly FactSchema[] = [due, glance, sale]

/** A row of a table, or a fact, by its fields: dates are days since 1970, decimals whole numbers of cents. */
export type Row = { readonly [field: string]: string | number | boolean | null }
/** Rows by key: the fields of it joined by a comma. */
export type Shop = { readonly [table: string]: ReadonlyMap<string, Row> }

export const keyOf = ({ key }: Pick<Table, 'key'>, row: Row): string => key.map((name) => String(row[name])).join(',')

const find = (shop: Shop, name: string, key: Row[string] | undefined): Row | undefined =>
  key === null || key === undefined ? undefined : shop[name]!.get(String(key))

/** The facts that stand, by key; of those that have no place the reason is their column. */
export const modelOf: {
  readonly [fact: string]: (shop: Shop) => { readonly facts: Map<string, Row>; readonly unfit: Map<string, string> }
} = {
  sale(shop) {
    const [facts, unfit] = [new Map<string, Row>(), new Map<string, string>()]
    for (const [key, { invoice_id, item_id, quantity }] of shop['lines']!) {
      const invoice = find(shop, 'invoices', invoice_id)
      const account = find(shop, 'accounts', invoice?.['account_id'])
      const sku = find(shop, 'skus', item_id)
      if (!invoice || !account || !sku) continue
      const amount = quantity === null || sku['price'] === null ? null : Number(quantity) * Number(sku['price'])
      const bad = invoice['issued'] === null ? 'issued' : amount !== null && Math.abs(amount) > 9999 ? 'amount' : undefined
      const { account_id, issued, paid } = invoice as { account_id: string; issued: number; paid: number | null }
      if (bad === undefined) {
        const row = {
          invoice_id: invoice_id!,
          item_id: item_id!,
          account_id,
          name: account['name']!,
          issued,
          amount,
          unpaid: paid === null,
        }
        facts.set(key, row)
      } else unfit.set(key, bad)
    }
    return { facts, unfit }
  },
  glance(shop) {
    const [facts, unfit] = [new Map<string, Row>(), new Map<string, string>()]
    for (const [key, { invoice_id, item_id, day }] of shop['lines']!) {
      const invoice = find(shop, 'invoices', invoice_id)
      const account = find(shop, 'accounts', invoice?.['account_id'])
      const sku = find(shop, 'skus', item_id)
      if (day === null) unfit.set(key, 'day')
      else
        facts.set(key, {
          invoice_id: invoice_id!,
          item_id: item_id!,
          day: day!,
          name: account?.['name'] ?? null,
          issued: invoice?.['issued'] ?? null,
          price: sku?.['price'] ?? null,
        })
    }
    return { facts, unfit }
  },
  due(shop) {
    const [facts, unfit] = [new Map<string, Row>(), new Map<string, string>()]
    for (const [key, { invoice_id, account_id, issued, paid }] of shop['invoices']!) {
      const account = find(shop, 'accounts', account_id)
      if (!account) continue
      const at = paid ?? issued!
      if (at === null) unfit.set(key, 'at')
      else facts.set(key, { invoice_id: invoice_id!, account_id: account_id!, name: account['name']!, at })
    }
    return { facts, unfit }
  },
}
