/** The set that training sets are measured on: two features of what accounts spend. */
import { featureSet, mean, number, record, sum, text, timestamp } from '../feature-defs/language.ts'

const spend = record('spend', 'at', { account: text({ bytes: 20 }), at: timestamp({ nullable: false }), amount: number() })

export const spending = featureSet(
  { name: 'spending', of: spend, per: 'account' },
  { mean10: mean('amount', { last: 10, round: 3 }), total: sum('amount', { all: true, round: 2 }) },
)
