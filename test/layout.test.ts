/** The columns that features of every kind have in the warehouse, and which of them a later version may not change. */
import { expect, it } from 'vitest'
import { count, featureSet, last, list, max, mean, sum } from '../feature-defs/language.ts'
import { columnsOf, layoutOf } from '../versions/layout.ts'
import { deal } from './deal.ts'

const v0 = featureSet(
  { name: 'deals', of: deal },
  {
    n: count('note', { last: 3 }),
    whole_sum: sum('whole', { last: 3 }),
    money_sum: sum('money', { last: 3 }),
    money_max: max('money', { last: 3 }),
    latest_day: last('day', { last: 3 }),
    latest_moment: last('moment', { last: 3 }),
    notes: list('note', { last: 3, bytes: 100 }),
    rate_mean: mean('rate', { last: 3 }),
  },
)

it('gives fields and features of every kind a column of their kind', () => {
  const types = Object.fromEntries(columnsOf([v0.definition], 0).map(({ name, type }) => [name, type]))
  expect(types).toMatchObject({
    moment: 'timestamp',
    whole: 'bigint',
    money: { digits: 12, scale: 2 },
    day: 'date',
    yes: 'boolean',
    note: { varchar: 20 },
    rate: 'double',
    whole_sum: 'bigint',
    money_sum: { digits: 38, scale: 2 },
    money_max: { digits: 12, scale: 2 },
    latest_day: 'date',
    latest_moment: 'timestamp',
    notes: { varchar: 100 },
    rate_mean: 'double',
  })
})

it('refuses a feature under the name of one of another kind, and a text that is longer than its column', () => {
  const layout = (next: { readonly definition: (typeof v0)['definition'] }) => layoutOf([v0.definition, next.definition], [])
  expect(() => layout(v0.replace({ rate_mean: last('day', { last: 3 }) } as never))).toThrow(
    'feature rate_mean is date in deals@1, and double since deals@0. ' +
      'Give the feature another name: a column of the warehouse keeps its type.',
  )
  expect(() => layout(v0.replace({ money_sum: max('money', { last: 3 }) } as never))).toThrow(
    'feature money_sum is decimal(12, 2) in deals@1, and decimal(38, 2) since deals@0',
  )
  expect(() => layout(v0.replace({ notes: list('note', { last: 3, bytes: 101 }) } as never))).toThrow(
    'feature notes is text of 101 bytes in deals@1, and text of 100 bytes since deals@0',
  )
  expect(layout(v0.replace({ notes: list('note', { last: 9, bytes: 50 }) } as never)).features).toEqual(
    layoutOf([v0.definition], []).features,
  )
})
