/**
 * A small store with two versions of a set, one of a set with two fields in its key and one without a key, served by a process of its own.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { done, freshFolder, start, until, type Running } from '../cli-run.ts'

const definitions = `
import { date, featureSet, max, mean, number, record, text } from 'tidemark'

const payment = record('payment', 'day', {
  day: date({ nullable: false }),
  state: text({ bytes: 20 }),
  branch: text({ bytes: 20 }),
  score: number(),
})
export const v0 = featureSet({ name: 'by_state', of: payment, per: 'state' }, { ma2: mean('score', { last: 2 }) })
export const v1 = v0.replace({ ma2: mean('score', { last: 3 }) })
export const v2 = v1.add({ peak: max('score', { last: 9 }) })
`

const payments = `day,state,branch,score
2020-01-01,NM,a,1
2020-01-02,NM,a,2
2020-01-03,CA,"b,c",
2020-01-04,NM,"b,c",6
`

/** Version 2 is applied, 0 is there as well. */
export async function storeToServe(): Promise<string> {
  const folder = freshFolder()
  writeFileSync(join(folder, 'definitions.ts'), definitions)
  writeFileSync(join(folder, 'payments.csv'), payments)
  writeFileSync(join(folder, 'tidemark.json'), JSON.stringify({ features: 'definitions.ts', source: { file: 'payments.csv' } }))
  for (const words of ['apply by_state@0 --yes', 'produce', 'up --until-caught-up', 'apply by_state@1 --yes', 'apply by_state@2 --yes'])
    await done(folder, words)
  return folder
}

export type ServedStore = { readonly address: string; readonly process: Running }

/** Answers all that was there when it began. */
export async function serveStore(folder: string, words = 'serve --port 0'): Promise<ServedStore> {
  const process = start(folder, words)
  const said = /services are answered at (\S+)/
  await until(() => said.test(process.err()) || process.hasEnded())
  const address = said.exec(process.err())?.[1]
  if (address === undefined) throw new Error(process.err())
  await until(async () => (await fetch(`${address}/readyz`)).ok)
  return { address, process }
}
