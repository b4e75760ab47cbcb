/** Mistakes in definitions do not compile: the type checker fails on any line here that should be an error and is not. */
import { count, date, ema, featureSet, mean, number, record, text, type FeatureRow } from '../feature-defs/language.ts'
import { v1, type v0, type v2 } from '../examples/loans/loan-risk.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'

type V1 = FeatureRow<typeof v1>
export const read = (row: V1): number | null => row.ma100 ?? row.ma50
export const two = (row: FeatureRow<typeof v2>): number | null => row.ma100 ?? row.ma50

// @ts-expect-error v0 has no ma100
export const none = (row: FeatureRow<typeof v0>) => row.ma100
// @ts-expect-error ma100 is taken
v1.add({ ma100: mean('risk_score', { last: 7 }) })
// @ts-expect-error ma7 is not there to replace
v1.replace({ ma7: mean('risk_score', { last: 7 }) })
// @ts-expect-error a text has no mean
v1.add({ title: mean('loan_title', { last: 7 }) })
// @ts-expect-error no such field
v1.add({ other: mean('risk_scores', { last: 7 }) })
// @ts-expect-error a date has no moving average
v1.add({ at: ema('application_date', { span: 7 }) })
// @ts-expect-error a replacement is checked too
v1.replace({ ma50: mean('state', { last: 7 }) })
// @ts-expect-error the record has a field of that name
v1.add({ risk_score: mean('risk_score', { last: 7 }) })
// @ts-expect-error a window is needed
v1.add({ ma7: mean('risk_score', {}) })
// @ts-expect-error the key must be a field
featureSet({ name: 'by_county', of: rejectedLoan, per: 'county' }, { n: count('state', { last: 7 }) })

const payment = record('payment', 'day', { day: date({ nullable: false }), amount: number() })
const payment1 = payment.add({ channel: text({ bytes: 10 }) })
const p0 = featureSet({ name: 'payments', of: payment }, { n: count('amount', { last: 3 }) })
// @ts-expect-error older records have no channel to be read
payment.add({ channel: text({ bytes: 10, nullable: false }) })
// @ts-expect-error the record has an amount
payment.add({ amount: number() })
// @ts-expect-error a record of other fields is none that it can go on over
p0.over(record('payment', 'day', { day: date({ nullable: false }), channel: text({ bytes: 10 }) }))
// @ts-expect-error the version before has no channel
p0.add({ channels: count('channel', { last: 3 }) })

export const grown = p0.over(payment1).add({ channels: count('channel', { last: 3 }) })
export const fine = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, { n: count('loan_title', { days: 30 }) })
  .add({ m: mean('amount_requested', { days: 30, round: 2 }) })
  .replace({ n: count('state', { last: 7 }), m: ema('amount_requested', { span: 5 }) })
