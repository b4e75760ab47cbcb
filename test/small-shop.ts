/** A shop of a few rows, which changes a little from one load to the next, as the files that are loaded. */
import { randomFrom } from './seeded.ts'
import { modelOf, shopTables, type Row } from './shop-facts.ts'

/** Tables that change a little from one to the next. */
export function shopOf(seed: number) {
  const random = randomFrom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const tables: Record<string, Map<string, Row>> = { accounts: new Map(), skus: new Map(), invoices: new Map(), lines: new Map() }
  const put = (table: string, key: string, row: Row) => void (random() < 0.2 ? tables[table]!.delete(key) : tables[table]!.set(key, row))
  return {
    tables,
    change(): { readonly [table: string]: string } {
      for (let i = 0; i < 3; i++) put('accounts', `A${i}`, { account_id: `A${i}`, name: `n${below(3)}` })
      for (let i = 0; i < 3; i++) put('skus', `I${i}`, { item_id: `I${i}`, price: below(900) })
      for (let i = 0; i < 6; i++)
        put('invoices', `${i}`, { invoice_id: i, account_id: `A${below(3)}`, issued: 18_000 + below(9), paid: below(2) ? 18_010 : null })
      for (let i = 0; i < 12; i++)
        put('lines', `${i % 6},I${(i % 5) % 3}`, { invoice_id: i % 6, item_id: `I${(i % 5) % 3}`, quantity: 1 + below(5), day: 18_000 })
      return Object.fromEntries(shopTables.map(({ name, fields }) => [name, csv(Object.keys(fields), [...tables[name]!.values()])]))
    },
    /** Some facts stand for certain. */
    some(): { readonly [table: string]: string } {
      for (;;) {
        const files = this.change()
        if (this.facts().size > 3) return files
      }
    },
    facts: () => modelOf['sale']!(tables).facts,
  }
}

export const dates = new Set(['issued', 'paid', 'day'])
const csv = (names: readonly string[], rows: readonly Row[]) =>
  [names, ...rows.map((row) => names.map((name) => cell(name, row[name]!)))].map((cells) => `${cells.join(',')}\n`).join('')
function cell(name: string, value: Row[string]): string {
  if (value === null) return ''
  if (dates.has(name)) return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
  return name === 'price' ? (Number(value) / 100).toFixed(2) : String(value)
}
