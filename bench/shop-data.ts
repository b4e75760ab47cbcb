/** The example's shop as the benchmark's data: its files, a price list of another day, and what the totals of each account must be. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateShop, shopSources } from '../examples/invoices/generate.ts'
import { shop, type Shop } from '../examples/invoices/shop.ts'
import { makeWorkDir, workDir } from './child.ts'

export type ShopData = {
  readonly invoices: number
  /** Of the four tables together. */
  readonly rows: number
  /** How many of its lines have all that they refer to. */
  readonly facts: number
  /** How many of them have another amount when every price is another. */
  readonly repriced: number
  readonly sources: ReturnType<typeof shopSources>
  /** All prices are another. */
  readonly otherPrices: string
  readonly rowsOf: (table: keyof Shop, dearer?: boolean) => Iterable<readonly (string | number | null)[]>
}

const seed = 1

/** A tenth more, to the cent. */
const dearer = (price: unknown): string | null => (price === null ? null : (Math.round(Number(price) * 110) / 100).toFixed(2))

export async function shopDataOf(invoices: number): Promise<ShopData> {
  makeWorkDir()
  const folder = join(workDir, `shop-${invoices}`)
  const options = { invoices, seed, day: 1 }
  const tables = shop(options)
  const rowsOf: ShopData['rowsOf'] = function* (table, isDearer = false) {
    for (const row of tables[table].rows()) yield isDearer && table === 'skus' ? [row[0]!, row[1]!, dearer(row[2])] : row
  }
  const otherPrices = join(folder, 'other-prices.csv')
  if (!existsSync(folder)) {
    const unfinished = `${folder}.part`
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(unfinished)
    await generateShop(unfinished, options)
    const lines = [...rowsOf('skus', true)].map((row) => row.map((cell) => cell ?? '').join())
    writeFileSync(join(unfinished, 'other-prices.csv'), [tables.skus.columns.join(), ...lines, ''].join('\n'))
    renameSync(unfinished, folder)
  }
  let rows = 0
  for (const table of ['accounts', 'skus', 'invoices', 'lines'] as const) for (const _ of rowsOf(table)) rows++
  let [facts, repriced] = [0, 0]
  const accounts = new Set([...rowsOf('accounts')].map(([id]) => id))
  const prices = new Map([...rowsOf('skus')].map(([id, , price]) => [id, price]))
  const buyers = new Map([...rowsOf('invoices')].map(([id, account]) => [id, account]))
  for (const [invoice, item, quantity] of rowsOf('lines')) {
    if (!prices.has(item!) || !accounts.has(buyers.get(invoice!)!)) continue
    facts++
    if (quantity !== null && prices.get(item!) !== null) repriced++
  }
  return { invoices, rows, facts, repriced, sources: shopSources(folder), otherPrices, rowsOf }
}

/** Of an account, as a text that both sides can be brought to: what it owes, its share of late lines, invoices, items, its largest line. */
export type Totals = ReadonlyMap<string, string>

type Account = {
  owing: bigint | undefined
  late: number
  paid: number
  readonly invoices: Set<number>
  readonly items: Set<string>
  largest: bigint | undefined
}

/** Plainly, from the rows. */
export function totalsOf({ rowsOf }: ShopData, isDearer: boolean): Totals {
  const accounts = new Set([...rowsOf('accounts')].map(([id]) => id))
  const prices = new Map(
    [...rowsOf('skus', isDearer)].map(([id, , price]) => [id, price === null ? null : BigInt(String(price).replace('.', ''))]),
  )
  const invoices = new Map([...rowsOf('invoices')].map(([id, account, , issued, paid]) => [id, { account, issued, paid }]))
  const totals = new Map<string, Account>()
  for (const [invoice, item, quantity] of rowsOf('lines')) {
    const { account, issued, paid } = invoices.get(invoice!)!
    const price = prices.get(item!)
    if (price === undefined || !accounts.has(account!)) continue
    const of = totals.get(String(account)) ?? {
      owing: undefined,
      late: 0,
      paid: 0,
      invoices: new Set(),
      items: new Set(),
      largest: undefined,
    }
    totals.set(String(account), of)
    const amount = price === null || quantity === null ? undefined : price * BigInt(quantity!)
    if (paid === null) of.owing = amount === undefined ? of.owing : (of.owing ?? 0n) + amount
    else {
      of.paid++
      if (Date.parse(String(paid)) - Date.parse(String(issued)) > 30 * 86_400_000) of.late++
    }
    of.invoices.add(Number(invoice))
    of.items.add(String(item))
    if (amount !== undefined && (of.largest === undefined || amount > of.largest)) of.largest = amount
  }
  return new Map(
    [...totals].map(([id, { owing, late, paid, invoices, items, largest }]) => [
      id,
      totalsText({
        owing: cents(owing),
        lateShare: paid === 0 ? null : Math.floor((20_000 * late + paid) / (2 * paid)) / 10_000,
        invoices: invoices.size,
        items: items.size,
        largest: cents(largest),
      }),
    ]),
  )
}

const cents = (amount: bigint | undefined): number | null => (amount === undefined ? null : Number(amount) / 100)

type Found = {
  readonly owing: number | null
  readonly lateShare: number | null
  readonly invoices: number
  readonly items: number
  readonly largest: number | null
}

export const totalsText = ({ owing, lateShare, invoices, items, largest }: Found): string =>
  [owing, lateShare === null ? null : (lateShare + 1e-9).toFixed(4), invoices, items, largest].join(' ')

/** The first few accounts that differ. */
export function differingTotals(found: Totals, expected: Totals): readonly string[] {
  const ids = new Set([...found.keys(), ...expected.keys()])
  return [...ids]
    .filter((id) => found.get(id) !== expected.get(id))
    .slice(0, 3)
    .map((id) => `${id} has ${found.get(id)}, not ${expected.get(id)}`)
}
