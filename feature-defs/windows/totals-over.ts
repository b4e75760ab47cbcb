/** What is read off exact totals, over the windows that keep them. */
import type { Field } from '../../schemas/record.ts'
import { bucketsTotals } from './buckets-totals.ts'
import { overTime } from './over-time.ts'
import { rowsTotals } from './rows-totals.ts'
import type { Totals } from './totals.ts'

export type Rounded = { readonly round?: number }

export const totalsOver = (totals: (params: Rounded, field: Field) => Totals) => ({
  last: (records: number, params: Rounded, field: Field) => rowsTotals(totals(params, field), records),
  ...overTime((reach, params: Rounded, field) => bucketsTotals(totals(params, field), reach)),
})
