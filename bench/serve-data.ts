/** What every server in the benchmark holds and is asked: keys with four features each, and requests for some of them. */
import { randomFrom } from '../test/seeded.ts'

export const names = ['score', 'ma50', 'ma100', 'ema50'] as const

export const definitions = `import { date, featureSet, mean, number, record, text } from 'tidemark'
const applicant = record('applicant', 'day', {
  customer: text({ bytes: 16, nullable: false }), day: date({ nullable: false }), a: number(), b: number(), c: number(), d: number(),
})
const last = { last: 1, round: 3 } as const
export const v0 = featureSet({ name: 'loan_risk', of: applicant, per: 'customer' }, {
  score: mean('a', last), ma50: mean('b', last), ma100: mean('c', last), ema50: mean('d', last),
})
`

/** A row for each key. */
export function csv(keys: number): string {
  const random = randomFrom(7)
  const value = () => (300 + random() * 550).toFixed(3)
  const lines = Array.from(
    { length: keys },
    (_, i) => `c${i},2020-01-${String(1 + (i % 28)).padStart(2, '0')},${value()},${value()},${value()},${value()}`,
  )
  return ['customer,day,a,b,c,d', ...lines, ''].join('\n')
}

/** So many different ones, each for so many keys. */
export function bodies(keys: number, perRequest: number): readonly string[] {
  const random = randomFrom(perRequest)
  const features = names.map((name) => `loan_risk:${name}`)
  const some = () => Array.from({ length: perRequest }, () => `c${Math.floor(random() * keys)}`)
  return Array.from({ length: 256 }, () => JSON.stringify({ features, entities: { customer: some() } }))
}
