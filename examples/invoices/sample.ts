/** Invoices to begin with: a file as a shop might export it, the same each time, and definitions of features of its accounts. */

const items: readonly (readonly [item: string, cents: number])[] = [
  ['desk', 24_900],
  ['chair', 8_950],
  ['lamp', 3_999],
  ['cable', 450],
  ['shelf', 12_000],
]

export const invoicesForm = { delimiter: ';', null: ['', 'NULL'], dates: 'DD.MM.YYYY' }

/** Of two years or so: amounts, moments, numbers beyond 2^53, flags, a word for null. */
export function invoicesText(rows: number): string {
  let state = 20_240_101
  const below = (most: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * most)
  }
  const start = Date.UTC(2023, 0, 2, 8)
  const lines = Array.from({ length: rows }, (_, i) => {
    const issued = new Date(start + Math.floor((i * 700 * 86_400_000) / rows) + below(3_600_000))
    const due = new Date(issued.getTime() + 30 * 86_400_000).toISOString().slice(0, 10).split('-').reverse().join('.')
    const [item, cents] = items[below(items.length)]!
    const pieces = 1 + below(4)
    const net = ((pieces * cents) / 100).toFixed(2)
    const account = `A-${String(1 + below(40)).padStart(3, '0')}`
    return [net, 2n ** 53n + BigInt(i), issued.toISOString(), account, item, pieces, below(5) > 0, below(20) > 0 ? due : 'NULL'].join(';')
  })
  return `Net Amount;Invoice No;Issued;Account;Item;Pieces;Paid;Due\n${lines.join('\n')}\n`
}

/** `language` is what definitions import the language from. */
export const invoiceDefinitions = (
  language: string,
): string => `// docs/your-own-data.md leads through a file like this one, and has every word of the language.
import { count, date, decimal, featureSet, flag, integer, list, median, record, sum, text, timestamp } from ${language}

export const invoice = record('invoice', 'issued', {
  invoice_no: integer({ from: 'Invoice No', nullable: false }),
  issued: timestamp({ from: 'Issued', nullable: false }),
  account: text({ bytes: 16, from: 'Account', nullable: false }),
  item: text({ bytes: 40, from: 'Item' }),
  pieces: integer({ from: 'Pieces' }),
  net_amount: decimal({ digits: 12, scale: 2, from: 'Net Amount' }),
  paid: flag({ from: 'Paid' }),
  due: date({ from: 'Due' }),
  unpaid: flag({ sql: 'not paid' }),
})

export const v0 = featureSet({ name: 'accounts', of: invoice, per: 'account' }, {
  owing: sum('net_amount', { all: true, when: 'unpaid' }),
  invoices_30d: count('invoice_no', { days: 30 }),
  items: list('item', { days: 90, bytes: 100 }),
  middle: median('net_amount', { last: 10, round: 2 }),
})
`
