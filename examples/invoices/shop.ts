/**
 * A shop's database as it stands on each day. What a row says follows from its number, the seed and the day alone: so it is the same each
 * time, and a shop of any size needs no memory.
 */
import { dayText } from '../../utilities/values/day.ts'
import { addressOf, companyName, itemName, personName } from './words.ts'

export type ShopOptions = {
  /** How many there are on the first day. */
  readonly invoices: number
  readonly seed: number
  /** 1 is the first one; the extracts of the later ones have what has happened since. */
  readonly day: number
}

type Cell = string | number | null
type Row = readonly Cell[]
export type ShopTable = { readonly columns: readonly string[]; readonly rows: () => Iterable<Row> }
export type Shop = { readonly [table in 'accounts' | 'skus' | 'invoices' | 'lines']: ShopTable }

const firstDay = Date.UTC(2024, 5, 30) / 86_400_000
const daysBefore = 730
const firstInvoice = 1_001

/** When a day's extracts are made. */
export const dateOf = (day: number): string => dayText(firstDay + day - 1)

/** What is left to chance; each has numbers of its own. */
const matters = (
  'company trade person family silent payer price unpriced buyer dated ahead days delay unpaid prepaid lines item usual pieces uncounted ' +
  'renamed moved closed repriced retitled ended listed rebooked cancelled bounced recounted returned'
).split(' ')

export function shop({ invoices, seed, day }: ShopOptions): Shop {
  const accounts = Math.max(8, Math.round(invoices / 40))
  const skus = Math.max(20, Math.round(2 * Math.sqrt(invoices)))
  /** Sold before the list of items has them. */
  const unlisted = Math.ceil(skus / 50)
  const newADay = Math.max(3, Math.round(invoices / 500))
  const today = firstDay + day - 1

  const draw = drawing(seed)
  const below = (limit: number, matter: string, i: number, j = 0) => Math.floor(draw(matter, i, j) * limit)

  /** On every day after the first it happens to this share of them, and to one at least: the last day on which it did, or 0. */
  const happening = (matter: string, share: number, count: number): ((i: number) => number) => {
    const last = new Map<number, number>()
    for (let on = 2; on <= day; on++)
      for (let many = Math.ceil(share * count); many > 0; many--) last.set(below(count, matter, on, many), on)
    return (i) => last.get(i) ?? 0
  }
  const renamed = happening('renamed', 0.01, accounts)
  const moved = happening('moved', 0.002, accounts)
  /** Who buys least. */
  const closed = happening('closed', 0.0005, Math.ceil(accounts / 3))
  const repriced = happening('repriced', 0.01, skus)
  const retitled = happening('retitled', 0.005, skus)
  /** What sells least. */
  const ended = happening('ended', 0.0005, Math.ceil(skus / 3))
  const listed = happening('listed', 0.2, unlisted)
  const rebooked = happening('rebooked', 0.0005, invoices)
  const cancelled = happening('cancelled', 0.0005, invoices)
  const bounced = happening('bounced', 0.0005, invoices)
  const recounted = happening('recounted', 0.001, invoices)
  const returned = happening('returned', 0.001, invoices)

  /** Who moves gets another one, and all invoices are of that one then. */
  const accountId = (i: number) => `A-${padded(i + 1)}${moved(i) > 0 ? `-${moved(i)}` : ''}`
  const itemId = (i: number) => `I-${padded(i + 1)}`

  function* accountRows(): Iterable<Row> {
    for (let i = 0; i < accounts; i++) {
      if (closed(accounts - 1 - i) > 0) continue
      const company = companyName(draw('company', i, renamed(i)), draw('trade', i))
      const person = personName(draw('person', i), draw('family', i))
      const [nobody, unwritten] = [draw('silent', i) < 0.06, draw('silent', i, 1) < 0.06]
      yield [accountId(i), company, nobody ? null : person, unwritten ? null : addressOf(person, accountId(i))]
    }
  }

  function* skuRows(): Iterable<Row> {
    for (let i = 0; i < skus + unlisted; i++) {
      if (i < skus ? ended(skus - 1 - i) > 0 : listed(i - skus) === 0) continue
      // From some cents to some thousands.
      const spread = [0, 1, 2, 3].reduce((product, j) => product * (1 + 9 * draw('price', i, j) ** 2), 1)
      const change = repriced(i) > 0 ? 0.9 + 0.25 * draw('price', i, 3 + repriced(i)) : 1
      const name = `${itemName(i)}${retitled(i) > 0 ? ` (${dateOf(retitled(i)).slice(0, 4)})` : ''}`
      yield [itemId(i), name, draw('unpriced', i) < 0.01 ? null : (Math.round(45 * spread * change) / 100).toFixed(2)]
    }
  }

  /** The numbers of the invoices that there are. */
  function* standing(): Iterable<number> {
    for (let i = 0; i < invoices + (day - 1) * newADay; i++) if (cancelled(i) === 0) yield i
  }

  /** Twice as many a day at the end of two years as at their beginning. Some are made out in advance. */
  const issuedOn = (i: number): number => {
    const share = Math.sqrt(1 + (3 * (i + draw('dated', i))) / invoices) - 1
    const usual =
      i < invoices ? firstDay - daysBefore + 1 + Math.floor(share * daysBefore) : firstDay + 1 + Math.floor((i - invoices) / newADay)
    return draw('ahead', i) < 0.05 ? usual + 1 + below(14, 'days', i) : usual
  }

  /** Six in ten pay within a month or so, three take their time, one takes months or never pays; and some invoices are paid in advance. */
  const paidOn = (i: number, buyer: number): number => {
    const payer = draw('payer', buyer)
    const [never, least, most] = payer < 0.6 ? [0.01, 5, 32] : payer < 0.9 ? [0.04, 15, 75] : [0.25, 35, 155]
    if (draw('prepaid', i) < 0.02) return issuedOn(i) - below(5, 'delay', i)
    return draw('unpaid', i) < never ? Infinity : issuedOn(i) + least + below(most - least, 'delay', i)
  }

  /** The first ones buy most. */
  const buyerOf = (i: number, booked: number): number => Math.floor(accounts * draw('buyer', i, booked) ** 2)

  function* invoiceRows(): Iterable<Row> {
    for (const i of standing()) {
      const buyer = buyerOf(i, rebooked(i))
      const [issued, paid] = [issuedOn(i), paidOn(i, buyer)]
      const settled = paid <= today && bounced(i) === 0
      yield [firstInvoice + i, accountId(buyer), dayText(issued).slice(0, 7), dayText(issued), settled ? dayText(paid) : null]
    }
  }

  /** Everybody has a few things that he buys again and again. */
  const itemOf = (i: number, j: number): number => {
    const any = draw('item', i, j)
    const drawn = draw('usual', i, j) < 0.85 ? draw('item', buyerOf(i, 0), -1 - Math.floor(any * 9)) : any
    return Math.floor((skus + unlisted) * drawn ** 2)
  }

  function* lineRows(): Iterable<Row> {
    for (const i of standing()) {
      const items = new Set<number>()
      const many = 1 + below(5, 'lines', i)
      for (let j = 0; items.size < many; j++) items.add(itemOf(i, j))
      let line = 0
      for (const item of items) {
        const first = line++ === 0
        if (first && returned(i) > 0) continue
        const pieces = 1 + Math.floor(12 * draw('pieces', i, line + (first ? 10 * recounted(i) : 0)) ** 2)
        yield [firstInvoice + i, itemId(item), draw('uncounted', i, line) < 0.003 ? null : pieces]
      }
    }
  }

  return {
    accounts: { columns: ['account_id', 'company_name', 'contact_name', 'email'], rows: accountRows },
    skus: { columns: ['item_id', 'item_name', 'item_retail_price'], rows: skuRows },
    invoices: { columns: ['invoice_id', 'account_id', 'period', 'date_issued', 'date_paid'], rows: invoiceRows },
    lines: { columns: ['invoice_id', 'item_id', 'quantity'], rows: lineRows },
  }
}

const padded = (number: number) => String(number).padStart(4, '0')

/** Numbers from 0 to below 1, each by what it is for. */
function drawing(seed: number): (matter: string, i: number, j?: number) => number {
  const places = new Map(matters.map((matter, place) => [matter, place]))
  const mixed = (hash: number, part: number) => {
    const mix = Math.imul(hash ^ part ^ (hash >>> 16), 0x85eb_ca6b)
    const more = Math.imul(mix ^ (mix >>> 13), 0xc2b2_ae35)
    return more ^ (more >>> 16)
  }
  const start = mixed(mixed(0x9e37_79b9, seed | 0), Math.floor(seed / 0x1_0000_0000) | 0)
  return (matter, i, j = 0) => (mixed(mixed(mixed(start, places.get(matter)!), i), j) >>> 0) / 0x1_0000_0000
}
