/** Of the events of the benchmark: what each account has paid. */
import { count, featureSet, sum } from '../definitions.ts'
import { event } from './foreign-messages.ts'

export const v0 = featureSet(
  { name: 'paid', of: event, per: 'account_id' },
  { paid: sum('amount', { last: 50 }), many: count('amount', { last: 50 }) },
)
