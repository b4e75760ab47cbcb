/** Small loan files made from a seed: a few years, in order or not, with empty cells and lines that cannot be read. */

export type Random = () => number

export type Cell = string | number | null

export type Loan = {
  readonly seq: number
  readonly year: number
  /** Days since 1970. */
  readonly day: number
  readonly state: string
  readonly score: number | null
  /** The nine cells as the warehouse should show them. */
  readonly cells: readonly Cell[]
}

export type LoanFile = { readonly text: string; readonly loans: readonly Loan[] }

export const firstYear = 2007
export const years = 5

const header = 'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code'
const msPerDay = 86_400_000

export const whole = (random: Random, from: number, to: number) => from + Math.floor(random() * (to - from + 1))
export const oneOf = <T>(random: Random, some: readonly T[]): T => some[whole(random, 0, some.length - 1)]!

export function madeLoans(random: Random): LoanFile {
  const rows = whole(random, 30, 100)
  const first = Date.UTC(firstYear, 0, 1) / msPerDay
  const days = Array.from({ length: rows }, () => first + whole(random, 0, years * 365 - 1))
  // Most files are in order; in some, rows stand somewhere else than their date says.
  if (random() < 0.75) days.sort((a, b) => a - b)
  const lines = [header]
  const loans: Loan[] = []
  let seq = 0
  for (const day of days) {
    for (; random() < 0.04; seq++) lines.push(`bad,${seq},line`)
    const loan = loanOf(++seq, day, random)
    loans.push(loan)
    lines.push(loan.cells.map((cell) => cell ?? '').join(','))
  }
  return { text: `${lines.join('\n')}\n`, loans }
}

function loanOf(seq: number, day: number, random: Random): Loan {
  const date = new Date(day * msPerDay).toISOString().slice(0, 10)
  const score = random() < 0.12 ? null : random() < 0.3 ? whole(random, 3000, 8500) / 10 : whole(random, 300, 850)
  const state = oneOf(random, ['NM', 'CA', 'TX', 'OH', 'NY'])
  const title = random() < 0.2 ? null : oneOf(random, ['car', 'moving', 'ünïcode'])
  const cells = [seq * 100, date, title, score, `${whole(random, 0, 60)}%`, `${whole(random, 100, 120)}xx`, state, '4 years', 0]
  return { seq, year: Number(date.slice(0, 4)), day, state, score, cells }
}
