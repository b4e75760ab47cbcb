/** What is read off exact totals, over the windows that keep them. */
import { daysTotals } from './days-totals.ts'
import { rowsTotals } from './rows-totals.ts'
import type { TotalsOp } from './totals.ts'

type Rounded = { readonly round?: number }

export const totalsOver = (op: TotalsOp) => ({
  last: (records: number, { round }: Rounded) => rowsTotals(op, records, round),
  days: (days: number, { round }: Rounded) => daysTotals(op, days, round),
})
