/** Mistakes in definitions do not compile: the type checker fails on any line here that should be an error and is not. */
import {
  count,
  date,
  decimal,
  distinct,
  ema,
  fact,
  featureSet,
  first,
  flag,
  integer,
  last,
  list,
  max,
  mean,
  median,
  model,
  number,
  quantile,
  record,
  since,
  sum,
  table,
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

const shops = table('shops', { key: 'shop' }, { shop: text({ bytes: 8 }), city: text({ bytes: 40 }) })
const sales = table(
  'sales',
  { key: ['shop', 'no'] },
  { shop: text({ bytes: 8 }), no: integer(), day: date(), price: decimal({ digits: 9, scale: 2 }) },
)
// @ts-expect-error the key must be a field
table('shops', { key: 'name' }, { shop: text({ bytes: 8 }) })
// @ts-expect-error each part of the key must be a field
table('shops', { key: ['shop', 'name'] }, { shop: text({ bytes: 8 }) })

const sale = fact(
  'sale',
  { of: sales, at: 'day', join: { place: [shops, 'shop'], other: [shops, ['shop'], { optional: true }] } },
  {
    day: date({ nullable: false }),
    city: text({ bytes: 40, from: 'place.city' }),
    price: decimal({ digits: 9, scale: 2 }),
    dear: flag({ sql: 'price > 100' }),
    no: integer({ nullable: false }),
  },
)
// @ts-expect-error the field that says when it happened must be one of its fields
fact('sale', { of: sales, at: 'when' }, { day: date({ nullable: false }) })
// @ts-expect-error a join has a table and the columns of its key
fact('sale', { of: sales, at: 'day', join: { place: [shops] } }, { day: date({ nullable: false }) })
// @ts-expect-error a join has no such option
fact('sale', { of: sales, at: 'day', join: { place: [shops, 'shop', { waitMs: 9 }] } }, { day: date({ nullable: false }) })
// @ts-expect-error the fact has a price
sale.add({ price: flag() })
// @ts-expect-error facts that stand have no rate yet
sale.add({ rate: number({ nullable: false }) })
// @ts-expect-error it has no rate to make differently
sale.replace({ rate: number({ sql: 'price' }) })

export const later = sale.add({ rate: number({ sql: 'price' }) }).replace({ price: decimal({ digits: 9, scale: 2, sql: 'price + 1.00' }) })
export const byCity = featureSet({ name: 'by_city', of: sale, per: 'city' }, { sold: sum('price', { all: true, when: 'dear' }) }).add({
  newest: last('no', { all: true }),
  cities: list('city', { days: 30, bytes: 100 }),
  dear_share: mean('dear', { all: true, round: 4 }),
})
type City = FeatureRow<typeof byCity>
export const ofCity = (row: City): readonly [bigint | null, string | null, number | null] => [
  row.newest,
  row.sold ?? row.cities,
  row.dear_share,
]
// @ts-expect-error a decimal is a text, exactly
export const rounded = (row: City): number | null => row.sold
// @ts-expect-error the fact has no such field
byCity.add({ items: count('item', { all: true }) })
// @ts-expect-error a column of what it joins is none of its fields
byCity.add({ items: count('place.city', { all: true }) })
// @ts-expect-error a field of a later version is none of this one
byCity.add({ rates: sum('rate', { all: true }) })
export const byCityLater = byCity.over(later).add({ rates: sum('rate', { all: true, round: 2 }) })
// @ts-expect-error a fact of other fields is none that it can go on over
byCity.over(fact('sale', { of: sales, at: 'day' }, { day: date({ nullable: false }) }))
// @ts-expect-error only a flag can say which facts take part
byCity.add({ n: count('no', { all: true, when: 'city' }) })
// @ts-expect-error a text has no mean
byCity.add({ m: mean('city', { all: true }) })
// @ts-expect-error the key must be a field of the fact
featureSet({ name: 'by_shop', of: sale, per: 'shop' }, { n: count('no', { all: true }) })
// @ts-expect-error the fact has a field of that name
featureSet({ name: 'by_city', of: sale }, { price: sum('price', { all: true }) })

const seen = timestamp({ nullable: false })
const click = record('click', 'seen', { seen, shop: text({ bytes: 8 }), no: integer(), weight: number() })
const joined = fact(
  'joined',
  { of: click, join: { sale: [sales, ['shop', 'no'], { waitMs: 60_000 }], place: [shops, 'sale.shop', { optional: true, waitMs: 10 }] } },
  { seen, city: text({ bytes: 40, from: 'place.city' }), dear: flag({ sql: 'sale.price > 100.00' }), weight: number() },
)
const plain = fact('plain', { of: click, at: 'seen' }, { seen, double: number({ sql: 'weight * 2' }) })
// @ts-expect-error the field that says when it happened must be one of its fields
fact('joined', { of: click, at: 'day' }, { seen })
// @ts-expect-error an event joins tables
fact('joined', { of: click, join: { sale: [click, 'no'] } }, { seen })
// @ts-expect-error it waits for a number of milliseconds
fact('joined', { of: click, join: { place: [shops, 'shop', { waitMs: '1m' }] } }, { seen })
// @ts-expect-error a join has no such option
fact('joined', { of: click, join: { place: [shops, 'shop', { wait: 9 }] } }, { seen })
// @ts-expect-error a fact of a table waits for nothing
fact('sale', { of: sales, at: 'day', join: { place: [shops, 'shop', { waitMs: 9 }] } }, { day: date({ nullable: false }) })
// @ts-expect-error an event has no next version
joined.add({ rate: number() })
// @ts-expect-error nor is one made differently
joined.replace({ city: text({ bytes: 9 }) })

export const byPlace = featureSet({ name: 'by_place', of: joined, per: 'city' }, { n: ema('weight', { span: 3 }) }).add({
  idle: since('dear', { unit: 'hours' }),
})
export const ofPlace = (row: FeatureRow<typeof byPlace>): number | null => row.n
export const doubled = featureSet({ name: 'doubled', of: plain }, { m: mean('double', { last: 3 }) })
// @ts-expect-error a column of what it joins is none of its fields
featureSet({ name: 'by_place', of: joined }, { n: count('place.shop', { last: 3 }) })
// @ts-expect-error a column of its record that is none of its fields
featureSet({ name: 'by_place', of: joined }, { n: count('no', { last: 3 }) })

const scored = orders.add({ risk: model('risk.onnx', { inputs: ['usual', 'pieces_all', 'weight', 'paid'], output: 'variable' }) })
export const score = (row: FeatureRow<typeof scored>): number | null => row.risk
/** It may read what is new beside it, and what an earlier model gives. */
export const stacked = scored.add({
  n: count('item', { last: 3 }),
  both: model('both.onnx', { inputs: ['n', 'risk'], output: 'probabilities', column: 1, round: 3 }),
})
export const stackedAnew = stacked.replace({ both: model('later.onnx', { inputs: ['n', 'pieces'], output: 'variable' }) })
export const first_risk = featureSet(
  { name: 'risks', of: order },
  { n: count('item', { last: 3 }), risk: model('risk.onnx', { inputs: ['n', 'price'], output: 'variable' }) },
)
// @ts-expect-error a model takes no text
orders.add({ risk: model('risk.onnx', { inputs: ['item'], output: 'variable' }) })
// @ts-expect-error a model takes no feature that is a text
orders.add({ risk: model('risk.onnx', { inputs: ['first_item'], output: 'variable' }) })
// @ts-expect-error a model takes no date
orders.add({ risk: model('risk.onnx', { inputs: ['due_last'], output: 'variable' }) })
// @ts-expect-error neither a feature nor a field
orders.add({ risk: model('risk.onnx', { inputs: ['weights'], output: 'variable' }) })
// @ts-expect-error a model does not read itself
orders.add({ risk: model('risk.onnx', { inputs: ['risk'], output: 'variable' }) })
// @ts-expect-error a replacement is checked too
scored.replace({ risk: model('risk.onnx', { inputs: ['items'], output: 'variable' }) })
// @ts-expect-error what is defined first is checked too
featureSet({ name: 'risks', of: order }, { risk: model('risk.onnx', { inputs: ['item'], output: 'variable' }) })
// @ts-expect-error an output is needed
orders.add({ risk: model('risk.onnx', { inputs: ['weight'] }) })
// @ts-expect-error there is no such option
orders.add({ risk: model('risk.onnx', { inputs: ['weight'], output: 'variable', when: 'paid' }) })
// @ts-expect-error risk is taken
scored.add({ risk: model('risk.onnx', { inputs: ['weight'], output: 'variable' }) })
// @ts-expect-error a later version of the fact is none of this one
byCity.add({ risk: model('risk.onnx', { inputs: ['rate'], output: 'variable' }) })
export const cityRisk = byCity.add({ risk: model('risk.onnx', { inputs: ['sold', 'dear_share', 'price', 'no'], output: 'variable' }) })
