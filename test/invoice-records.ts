/**
 * Invoices as users have them: semicolons, columns in another order, moments, amounts, numbers beyond 2^53, flags, words for null, a key of
 * two fields; and what features of them must be, computed anew for each row in whole numbers. It is a definitions file, too.
 */
import {
  count,
  date,
  decimal,
  distinct,
  featureSet,
  first,
  flag,
  integer,
  last,
  list,
  max,
  mean,
  quantile,
  record,
  since,
  sum,
  text,
  timestamp,
} from '../definitions.ts'
import { randomFrom } from './seeded.ts'

export const invoice = record('invoice', 'issued', {
  account: text({ bytes: 8, from: 'Account' }),
  item: text({ bytes: 8, from: 'Item' }),
  number: integer({ from: 'No.' }),
  issued: timestamp({ from: 'Issued', nullable: false }),
  due: date({ from: 'Due' }),
  net: decimal({ digits: 14, scale: 2, from: 'Net' }),
  pieces: integer({ from: 'Pieces' }),
  paid: flag({ from: 'Paid' }),
  note: text({ bytes: 12, from: 'Note' }),
  gross: decimal({ digits: 16, scale: 2, sql: 'round(net * 1.19, 2)' }),
  unpaid: flag({ sql: 'not paid' }),
})

export const v0 = featureSet(
  { name: 'invoice_items', of: invoice, per: ['account', 'item'] },
  {
    owing: sum('gross', { all: true, when: 'unpaid' }),
    pieces_3: sum('pieces', { last: 3 }),
    in_48h: count('number', { hours: 48 }),
    month: sum('net', { months: 1 }),
    older: count('number', { olderThanDays: 30 }),
    notes: list('note', { days: 60, bytes: 12 }),
    sizes: distinct('pieces', { last: 5 }),
    high: quantile('net', { p: 0.9, last: 7, round: 2 }),
    first_due: first('due', { all: true }),
    number_4: last('number', { last: 4 }),
    silent: since('note', { unit: 'days' }),
    latest: max('issued', { days: 10 }),
    average: mean('net', { days: 30, round: 4 }),
  },
)

type Invoice = {
  readonly account: string
  readonly item: string | null
  readonly number: bigint
  /** Microseconds since 1970. */
  readonly issued: bigint
  readonly due: string | null
  readonly cents: bigint | null
  readonly pieces: bigint | null
  readonly paid: boolean | null
  readonly note: string | null
}

const dayMicros = 86_400_000_000n
const hourMicros = 3_600_000_000n

/** Of 300 invoices or so each key has a dozen; some come late. */
export function madeInvoices(rows: number, seed: number): { readonly csv: string; readonly invoices: readonly Invoice[] } {
  const chance = randomFrom(seed)
  const below = (most: number) => Math.floor(chance() * most)
  const maybe = <T>(value: T): T | null => (chance() < 0.15 ? null : value)
  let now = BigInt(Date.UTC(2023, 10, 1)) * 1000n
  const invoices = Array.from({ length: rows }, (): Invoice => {
    now += BigInt(below(20 * 3600)) * 1_000_000n + BigInt(below(1_000_000))
    const late = chance() < 0.1 ? BigInt(below(40)) * dayMicros : 0n
    return {
      account: `A${below(5)}`,
      item: maybe(`i${below(4)}`),
      number: 2n ** 53n + BigInt(below(1_000_000)),
      issued: now - late,
      due: maybe(dayText(now / dayMicros + 30n)),
      cents: maybe(BigInt(below(1_000_000_000)) - 100_000_000n),
      pieces: maybe(BigInt(below(5))),
      paid: maybe(chance() < 0.5),
      note: maybe(['late', 'ü; "x"', 'gift', 'a'][below(4)]!),
    }
  })
  const cell = (text: string | null) => (text === null ? 'NULL' : /[";]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const line = ({ account, item, number, issued, due, cents, pieces, paid, note }: Invoice) =>
    [
      cell(note),
      paid === null ? 'NULL' : paid ? 'Yes' : 'no',
      cents === null ? 'NULL' : amount(cents, 2),
      number,
      moment(issued),
      pieces ?? 'NULL',
      'ignored',
      cell(item),
      account,
      due === null ? 'NULL' : due.split('-').reverse().join('.'),
    ].join(';')
  return { csv: ['Note;Paid;Net;No.;Issued;Pieces;Else;Item;Account;Due', ...invoices.map(line)].join('\n') + '\n', invoices }
}

export const source = { delimiter: ';', null: ['NULL'], dates: 'DD.MM.YYYY' }

const dayText = (day: bigint) => new Date(Number(day) * 86_400_000).toISOString().slice(0, 10)

function moment(micros: bigint): string {
  const seconds = new Date(Number(micros / 1_000_000n) * 1000).toISOString().slice(0, 19)
  const rest = String(micros % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${seconds}${rest === '' ? '' : `.${rest}`}Z`
}

/** A whole number of such parts, as a decimal. */
function amount(whole: bigint, scale: number): string {
  const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, '0')
  return `${whole < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Half away from zero. */
function rounded(over: bigint, under: bigint): bigint {
  const size = (2n * (over < 0n ? -over : over) + under) / (2n * under)
  return over < 0n ? -size : size
}

const grossOf = (cents: bigint) => rounded(cents * 119n, 100n)
const total = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n)
const there = <T>(values: readonly (T | null)[]): T[] => values.filter((value) => value !== null)

/** The features of each row, as an export writes them; null is empty. */
export function expectedFeatures(invoices: readonly Invoice[]): readonly Readonly<Record<string, string>>[] {
  return invoices.map((now, i) => {
    const seen = invoices.slice(0, i + 1).filter(({ account, item }) => account === now.account && item === now.item)
    const day = ({ issued }: Invoice) => issued / dayMicros
    const month = ({ issued }: Invoice) => moment(issued).slice(0, 7)
    const within = (days: bigint) => seen.filter((one) => day(one) > day(now) - days && day(one) <= day(now))
    const cents = (some: readonly Invoice[]) => there(some.map((one) => one.cents))
    const orNull = <T>(values: readonly T[], text: (values: readonly T[]) => string) => (values.length === 0 ? '' : text(values))
    const sorted = cents(seen.slice(-7)).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const noted = seen.findLast(({ note }) => note !== null)
    const moments = within(10n).map(({ issued }) => issued)
    return {
      owing: orNull(cents(seen.filter(({ paid }) => paid === false)), (some) => amount(total(some.map(grossOf)), 2)),
      pieces_3: orNull(there(seen.slice(-3).map(({ pieces }) => pieces)), (some) => String(total(some))),
      in_48h: String(seen.filter(({ issued }) => issued > now.issued - 48n * hourMicros && issued <= now.issued).length),
      month: orNull(cents(seen.filter((one) => month(one) === month(now))), (some) => amount(total(some), 2)),
      older: String(seen.filter((one) => day(one) <= day(now) - 30n).length),
      notes: listed(there(within(60n).map(({ note }) => note))),
      sizes: String(new Set(there(seen.slice(-5).map(({ pieces }) => pieces))).size),
      high: orNull(sorted, (some) => amount(some[Math.ceil((9 * some.length) / 10) - 1]!, 2)),
      first_due: there(seen.map(({ due }) => due))[0] ?? '',
      number_4: String(now.number),
      silent: noted ? String(day(now) - day(noted)) : '',
      latest: moment(moments.reduce((most, one) => (one > most ? one : most))),
      average: orNull(cents(within(30n)), (some) => amount(rounded(total(some) * 100n, BigInt(some.length)), 4)),
    }
  })
}

/** The different texts in the order of their bytes, cut at twelve bytes. */
function listed(notes: readonly string[]): string {
  const different = [...new Set(notes)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (Buffer.byteLength(different.join(', ')) <= 12) return different.join(', ')
  for (let many = different.length - 1; many > 0; many--) {
    const cut = [...different.slice(0, many), '…'].join(', ')
    if (Buffer.byteLength(cut) <= 12) return cut
  }
  return '…'
}
