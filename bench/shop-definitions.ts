/** Of the example's shop, what the benchmark's peers compute, too. */
import { distinct, featureSet, max, mean, sum } from '../definitions.ts'
import { saleLine } from '../examples/invoices/definitions.ts'

export const v0 = featureSet(
  { name: 'account_totals', of: saleLine, per: 'account_id' },
  {
    owing: sum('amount', { all: true, when: 'unpaid' }),
    late_share: mean('paid_late', { all: true, round: 4 }),
    invoices: distinct('invoice_id', { all: true }),
    items: distinct('item_id', { all: true }),
    largest: max('amount', { all: true }),
  },
)
