/** Mistakes in definitions do not compile: the type checker fails on any line here that should be an error and is not. */
import {
  count,
  date,
  decimal,
  distinct,
  ema,
  featureSet,
  first,
  flag,
  integer,
  last,
  list,
  max,
  mean,
  median,
  number,
  quantile,
  record,
  since,
  sum,
  text,
  timestamp,
  type FeatureRow,
} from '../feature-defs/language.ts'
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

const order = record('order', 'placed', {
  placed: timestamp({ nullable: false }),
  account: text({ bytes: 8 }),
  item: text({ bytes: 8 }),
  due: date(),
  pieces: integer(),
  price: decimal({ digits: 12, scale: 2 }),
  weight: number(),
  paid: flag(),
})
export const orders = featureSet(
  { name: 'orders', of: order, per: ['account', 'item'] },
  {
    pieces_all: sum('pieces', { all: true }),
    owed: sum('price', { months: 2, when: 'paid' }),
    usual: mean('price', { last: 9, round: 2 }),
    heavy: quantile('weight', { hours: 9, p: 0.9 }),
    middle: median('price', { days: 30, round: 2, when: 'paid' }),
    first_item: first('item', { olderThanDays: 30 }),
    due_last: max('due', { last: 5 }),
    paid_last: last('paid', { all: true }),
    placed_last: last('placed', { last: 2 }),
    items: list('item', { all: true, bytes: 100 }),
    kinds: distinct('item', { all: true }),
    idle: since('paid', { unit: 'days', when: 'paid' }),
  },
)
type Order = FeatureRow<typeof orders>
/** What a feature is follows from its operator and its field. */
export const typed = (row: Order): readonly [bigint | null, string | null, string | null, boolean | null, number | null] => [
  row.pieces_all,
  row.owed ?? row.usual ?? row.middle,
  row.first_item ?? row.due_last ?? row.placed_last ?? row.items,
  row.paid_last,
  row.heavy ?? row.kinds ?? row.idle,
]
// @ts-expect-error an integer is no number
export const mistyped = (row: Order): number | null => row.pieces_all
// @ts-expect-error a text has no quantile
orders.add({ middle_item: median('item', { last: 7 }) })
// @ts-expect-error a flag has no least value
orders.add({ most: max('paid', { last: 7 }) })
// @ts-expect-error only a flag can say which records take part
orders.add({ n: count('item', { last: 7, when: 'pieces' }) })
// @ts-expect-error no such flag
orders.add({ n: count('item', { last: 7, when: 'sent' }) })
// @ts-expect-error a quantile needs its share
orders.add({ q: quantile('weight', { last: 7 }) })
// @ts-expect-error a list needs its bytes
orders.add({ l: list('item', { last: 7 }) })
// @ts-expect-error a time since has a unit and no window
orders.add({ s: since('item', { last: 7 }) })
// @ts-expect-error all is true
orders.add({ s: sum('weight', { all: 7 }) })
// @ts-expect-error each part of the key must be a field
featureSet({ name: 'by_county', of: order, per: ['account', 'county'] }, { n: count('item', { last: 7 }) })
