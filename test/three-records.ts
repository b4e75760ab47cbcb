/** Three records for one store: the loans, and two with keys, partitions and files of their own. It is a definitions file, too. */
import { date, ema, featureSet, mean, number, record, text } from '../definitions.ts'
import type { Loan } from './oracle/loan-file.ts'
import { rowsOf, type Owner, type Row } from './oracle/loan-story.ts'
import { randomFrom } from './seeded.ts'

export { v0, v1, v2 } from '../examples/loans/loan-risk.ts'

export const payment = record('payment', 'paid_on', {
  account: text('Account', { bytes: 8 }),
  paid_on: date('Paid on', { nullable: false }),
  amount: number('Amount'),
})
export const click = record('click', 'day', {
  day: date('Day', { nullable: false }),
  seconds: number('Seconds'),
  visitor: text('Visitor', { bytes: 8 }),
})

export const payments0 = featureSet({ name: 'payments', of: payment, per: 'account' }, { m: mean('amount', { last: 50, round: 3 }) })
export const payments1 = payments0.add({ m100: mean('amount', { last: 100, round: 3 }) })
export const payments2 = payments1.replace({ m: ema('amount', { span: 50, round: 3 }) })

export const clicks0 = featureSet({ name: 'clicks', of: click, per: 'visitor' }, { m: mean('seconds', { last: 50, round: 3 }) })
export const clicks1 = clicks0.add({ m100: mean('seconds', { last: 100, round: 3 }) })
export const clicks2 = clicks1.replace({ m: ema('seconds', { span: 50, round: 3 }) })

/** What the versions of every set mean, each with rows for all history. */
const owners: readonly Owner[] = [
  { version: 0, after: 0, until: Infinity, ma50: { mean: 50, from: 0 } },
  { version: 1, after: 0, until: Infinity, ma50: { mean: 50, from: 0 }, ma100: { mean: 100, from: 0 } },
  { version: 2, after: 0, until: Infinity, ma50: { span: 50 }, ma100: { mean: 100, from: 0 } },
]

/** The rows of a version by _seq, each key by itself; without a key all are one. */
export function expectedRows(records: readonly Loan[], key: number | undefined, version: number): readonly Row[] {
  const keys = Map.groupBy(records, ({ cells }) => (key === undefined ? '' : cells[key]))
  return [...keys.values()].flatMap((own) => rowsOf(own, owners[version]!)).sort((a, b) => Number(a.at(-1)) - Number(b.at(-1)))
}

/** A file over the years 2007 to 2012, and its records as the oracle reads them. */
export type Made = { readonly csv: string; readonly records: readonly Loan[] }

const years = 6

function made(
  header: string,
  rows: number,
  seed: number,
  cellsOf: (day: string, key: string, value: number | null) => Loan['cells'],
): Made {
  const chance = randomFrom(seed)
  const records = Array.from({ length: rows }, (_, i): Loan => {
    const year = 2007 + Math.floor((i * years) / rows)
    const within = (i * years) / rows - (year - 2007)
    const day = `${year}-${String(1 + Math.floor(within * 12)).padStart(2, '0')}-15`
    const score = chance() < 0.1 ? null : Math.round(chance() * 100_000) / 100
    return { seq: i + 1, year, score, cells: cellsOf(day, `k${Math.floor(chance() * 20)}`, score) }
  })
  return { csv: [header, ...records.map(({ cells }) => cells.map((cell) => cell ?? '').join())].join('\n') + '\n', records }
}

export const madePayments = (rows: number, seed: number): Made =>
  made('Account,Paid on,Amount', rows, seed, (day, account, amount) => [account, day, amount])
export const madeClicks = (rows: number, seed: number): Made =>
  made('Day,Seconds,Visitor', rows, seed, (day, visitor, seconds) => [day, seconds, visitor])
