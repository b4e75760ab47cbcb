/** Sets of every sort of key, with a few rows: what tests ask a server for. */
import { featureSet, first, mean, sum } from '../feature-defs/language.ts'
import { date, decimal, flag, integer, number, record, text, timestamp } from '../schemas/record.ts'
import { servingOf } from './serving-of.ts'
import { sale } from './shop-facts.ts'

const loan = record('loan', 'day', {
  day: date({ nullable: false }),
  state: text({ bytes: 20 }),
  account: integer(),
  branch: text({ bytes: 20 }),
  opened: timestamp(),
  rate: decimal({ digits: 8, scale: 2 }),
  risky: flag(),
  score: number(),
})

const ma = (last: number) => mean('score', { last })

/** Three versions, of which the first two were promoted. */
const v0 = featureSet({ name: 'by_state', of: loan, per: 'state' }, { ma50: ma(50) })
const v1 = v0.add({ ma100: ma(100), note: first('branch', { last: 5 }) })
const v2 = v1.replace({ ma50: ma(9) })

const total = featureSet({ name: 'in_all', of: loan }, { mean_score: ma(10) })
const both = featureSet({ name: 'by_both', of: loan, per: ['account', 'branch'] }, { worst: ma(3) })

const sales = featureSet({ name: 'sales', of: sale, per: 'item_id' }, { sold: sum('amount', { all: true }) })

export const served = () =>
  servingOf(
    {
      by_state: {
        versions: [v0.definition, v1.definition, v2.definition],
        chain: [1, 0],
        rows: {
          0: { NM: [1.5], OLD: [9] },
          1: { NM: [2.5, null, 'a "b"\n'], CA: [3, 4, null], '': [0, -0, '∅'] },
          2: { NM: [5.25, 1e21, ''] },
        },
      },
      in_all: { versions: [total.definition], chain: [0], rows: { 0: { '': [42] } } },
      by_both: { versions: [both.definition], chain: [0], rows: { 0: { '7,a\\,b': [0.1], '\\N,x': [0.2], '9007199254740993,x': [0.3] } } },
      shadow: { versions: [featureSet({ name: 'shadow', of: loan, per: 'state' }, { ma1: ma(1) }).definition], rows: { 0: {} } },
      ...Object.fromEntries(
        (['day', 'opened', 'rate', 'risky', 'score'] as const).map((per) => {
          const { definition } = featureSet({ name: `by_${per}`, of: loan, per }, { one: ma(1) })
          const keys = { day: '13879', opened: '2012-03-04T05:06:07.5Z', rate: '12.50', risky: 'true', score: '0.1' }
          return [`by_${per}`, { versions: [definition], chain: [0], rows: { 0: { [keys[per]]: [1] } } }]
        }),
      ),
      sales: { versions: [sales.definition], chain: [0], rows: { 0: {} } },
    },
    { sale: { '7,I/1': { seq: 3, known: 1n, fields: { amount: 12.5 } } } },
  )
