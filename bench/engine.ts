/** The engine alone: columns in, features out. Each case is a process of its own, so that none spoils the compiled code of another. */
import { engine } from '../feature-defs/engine.ts'
import { featureSet, type FeatureSet } from '../feature-defs/feature-set.ts'
import { inputsOf } from '../feature-defs/inputs.ts'
import { count, ema, last, max, mean, rejectedLoan, stddev, sum } from '../definitions.ts'
import { columnOf, type NumberColumn } from '../utilities/values/columns.ts'
import { firstBatches } from './first-batches.ts'
import { paced, runNamedCase, type Paced } from './paced.ts'
import { summedAnew } from './plain-twins.ts'

const round = 3
export const three = {
  ma50: mean('risk_score', { last: 50, round }),
  ma100: mean('risk_score', { last: 100, round }),
  ema50: ema('risk_score', { span: 50, round }),
}
const keyless = { name: 'bench', of: rejectedLoan }

const sets = new Map<string, FeatureSet>([
  ['MA50 + MA100 + EMA50', featureSet(keyless, three)],
  ['MA50', featureSet(keyless, { ma50: three.ma50 })],
  ['EMA50', featureSet(keyless, { ema50: three.ema50 })],
  ['sum of 50', featureSet(keyless, { one: sum('risk_score', { last: 50, round }) })],
  ['count of 50', featureSet(keyless, { one: count('risk_score', { last: 50 }) })],
  ['stddev of 50', featureSet(keyless, { one: stddev('risk_score', { last: 50, round }) })],
  ['max of 50', featureSet(keyless, { one: max('risk_score', { last: 50 }) })],
  ['last of 50', featureSet(keyless, { one: last('risk_score', { last: 50 }) })],
  ['mean of 30 days', featureSet(keyless, { one: mean('risk_score', { days: 30, round }) })],
  ['max of 30 days', featureSet(keyless, { one: max('risk_score', { days: 30 }) })],
  ['MA50 + MA100 + EMA50 per state (51 keys)', featureSet({ ...keyless, per: 'state' }, three)],
  ['MA50 + MA100 + EMA50 per zip code (1000 keys)', featureSet({ ...keyless, per: 'zip_code' }, three)],
])

const resummed = 'MA50 + MA100 + EMA50, each window summed anew'

export const engineCases = [...sets.keys(), resummed]

const rowsTaken = 500_000

const pushed =
  (set: FeatureSet) =>
  async (file: string): Promise<Paced> => {
    const batches = await firstBatches(file, rowsTaken)
    return paced(() => {
      const { push } = engine(set.definition)
      let rows = 0
      for (const batch of batches) rows += (push(inputsOf(set.definition, batch))[0] as NumberColumn).values.length
      return rows
    })
  }

if (import.meta.main) {
  const cases = new Map([...sets].map(([name, set]) => [name, pushed(set)] as const))
  await runNamedCase(
    cases.set(resummed, async (file) => {
      const batches = await firstBatches(file, rowsTaken)
      return paced(() => {
        const push = summedAnew()
        return batches.reduce((rows, batch) => rows + push(columnOf(batch, 'risk_score', 'number').values)[0]!.length, 0)
      })
    }),
  )
}
