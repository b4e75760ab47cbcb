/** The rows that the versions of the loan story should have, worked out in exact decimals from the meaning of each feature. */
import type { Loan } from './loan-file.ts'

/** A feature's meaning, and the record after which its state was empty. */
export type Meaning = { readonly mean: number; readonly from: number } | { readonly span: number }
/** A version owns the rows with after < seq <= until. */
export type Owner = {
  readonly version: number
  readonly after: number
  readonly until: number
  readonly ma50: Meaning
  readonly ma100?: Meaning
}

export type Cell = string | number | null
/**
 * The nine cells, the leading feature, the version, then `ma100` where the version has it, then the position: the view's columns but
 * `_modified_ts`.
 */
export type Row = readonly Cell[]

const mean = (last: number, from = 0): Meaning => ({ mean: last, from })

/** v0, then v1 applied cold after the record `first`, then v2 applied forward-only after `second`. */
export const storyOf = (first: number, second: number): readonly Owner[] => [
  { version: 0, after: 0, until: first, ma50: mean(50) },
  { version: 1, after: first, until: second, ma50: mean(50), ma100: mean(100, first) },
  { version: 2, after: second, until: Infinity, ma50: { span: 50 }, ma100: mean(100, first) },
]

/** v0 alone, from the first record on. */
export const onlyV0 = storyOf(Infinity, Infinity).slice(0, 1)

export function rowsOf(loans: readonly Loan[], owner: Owner): Row[] {
  const ma50 = valuesOf(loans, owner.ma50)
  const ma100 = owner.ma100 && valuesOf(loans, owner.ma100)
  return loans.flatMap(({ seq, cells }, i) =>
    seq > owner.after && seq <= owner.until ? [[...cells, ma50[i]!, owner.version, ...(ma100 ? [ma100[i]!] : []), seq]] : [],
  )
}

/** What the base view shows: each record from the newest version that has it, in the columns of the newest. */
export function shownRows(loans: readonly Loan[], owners: readonly Owner[]): Row[] {
  const withMa100 = owners.some(({ ma100 }) => ma100)
  const widened = owners.map((owner) =>
    rowsOf(loans, owner).map((row) => (withMa100 && !owner.ma100 ? [...row.slice(0, -1), null, row.at(-1)!] : row)),
  )
  const bySeq = new Map(widened.flat().map((row) => [row.at(-1) as number, row]))
  return [...bySeq].sort(([a], [b]) => a - b).map(([, row]) => row)
}

/** The position of the last record of these years. */
export const lastOf = (loans: readonly Loan[], year: number) => loans.findLast((loan) => loan.year <= year)!.seq

function valuesOf(loans: readonly Loan[], meaning: Meaning): Cell[] {
  return 'span' in meaning ? averages(loans, meaning.span) : means(loans, meaning.mean, meaning.from)
}

/** Each window is summed anew. */
function means(loans: readonly Loan[], last: number, from: number): Cell[] {
  const places = Math.max(0, ...loans.map(({ score }) => (score === null ? 0 : decimalOf(score).places)))
  const scaled = loans.map(({ score }) => (score === null ? null : scaledTo(decimalOf(score), places)))
  const first = loans.findIndex(({ seq }) => seq > from)
  return loans.map((_, i) => {
    if (first < 0 || i < first) return null
    const window = scaled.slice(Math.max(first, i + 1 - last), i + 1).filter((value) => value !== null)
    if (window.length === 0) return null
    return rounded(
      window.reduce((sum, value) => sum + value, 0n),
      BigInt(window.length) * 10n ** BigInt(places),
    )
  })
}

/** In double precision, as it is defined; only what comes out is rounded. */
function averages(loans: readonly Loan[], span: number): Cell[] {
  let level: number | null = null
  return loans.map(({ score }) => {
    if (score !== null) level = level === null ? score : level + (2 / (span + 1)) * (score - level)
    if (level === null) return null
    const { digits, places } = decimalOf(level)
    return rounded(digits, 10n ** BigInt(places))
  })
}

/** digits / 10^places */
type Decimal = { readonly digits: bigint; readonly places: number }

/** The shortest decimal that prints the double. */
function decimalOf(value: number): Decimal {
  const [mantissa, exponent = '0'] = String(value).split('e')
  const [whole, fraction = ''] = mantissa!.split('.')
  const digits = BigInt(whole!.replace('-', '') + fraction) * (mantissa!.startsWith('-') ? -1n : 1n)
  const places = fraction.length - Number(exponent)
  return places >= 0 ? { digits, places } : { digits: digits * 10n ** BigInt(-places), places: 0 }
}

const scaledTo = ({ digits, places }: Decimal, to: number) => digits * 10n ** BigInt(to - places)

/** over / under to three decimals, halves away from zero. */
function rounded(over: bigint, under: bigint): number {
  const size = over < 0n ? -over : over
  const thousandths = (2n * size * 1000n + under) / (2n * under)
  const text = thousandths.toString().padStart(4, '0')
  const value = Number(`${text.slice(0, -3)}.${text.slice(-3)}`)
  return over < 0n && value !== 0 ? -value : value
}
