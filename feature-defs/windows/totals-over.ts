/** What is read off exact totals, over the windows that keep them. */
import type { Field } from '../../schemas/record.ts'
import { gatheredTotals } from '../facts/gathered-totals.ts'
import { overLast } from '../facts/over-last.ts'
import { overWindow } from '../facts/over-span.ts'
import type { Standing } from '../facts/standing.ts'
import { bucketsTotals } from './buckets-totals.ts'
import { overTime } from './over-time.ts'
import { rowsTotals } from './rows-totals.ts'
import type { Totals } from './totals.ts'

export type Rounded = { readonly round?: number }

export const totalsOver = (totals: (params: Rounded, field: Field) => Totals) => ({
  last: (records: number, params: Rounded, field: Field) => ({
    ...rowsTotals(totals(params, field), records),
    standing: () => overLast(gatheredTotals(totals(params, field)), records) as Standing,
  }),
  ...overTime(
    (reach, params: Rounded, field) => bucketsTotals(totals(params, field), reach),
    (span, params, field) => overWindow(gatheredTotals(totals(params, field)), span),
  ),
})
