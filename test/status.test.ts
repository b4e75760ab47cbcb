/** `status`: what each reader has still to read of each partition, how fast it goes, and what became of messages that are no records. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, start, tidemark, until, type Printed } from './cli-run.ts'
import { generated, limitMs } from './loan-folders.ts'

const definitions = `import { featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })`
const own = '--config own.json'

describe('status', { timeout: limitMs }, () => {
  let file: string
  let folder: string
  const readers = async (words = ''): Promise<Printed[]> => (await json(folder, `status ${words} ${own}`)).readers
  const lags = async (reader: string) => (await readers()).filter((one) => one.reader === reader).map(({ lag }) => lag)

  beforeAll(async () => {
    file = await generated(30_000)
    folder = freshFolder()
    writeFileSync(join(folder, 'features.ts'), definitions)
    writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'features.ts', log: { kind: 'embedded', partitions: 3 } }))
    await done(folder, `apply by_state@0 --yes ${own}`)
    await done(folder, `produce --years 2007-2008 --file ${file} ${own}`)
  }, limitMs)

  it('has a line for each reader and partition, with the records that it has still to read', async () => {
    const topics: Printed[] = await json(folder, `topics ${own}`)
    const held = (topic: string) => topics.filter((one) => one.topic === topic).map(({ messages }) => messages)
    expect(held('inflow')).toHaveLength(3)
    // What is told of the versions that are shown waits for nobody.
    expect([await lags('by_state'), await lags('sink')]).toEqual([held('inflow'), [0, 0, 0]])
    await done(folder, `consume --until-caught-up ${own}`)
    expect([await lags('by_state'), await lags('sink')]).toEqual([[0, 0, 0], held('inflow')])
    const { sink, sets } = await json(folder, `status ${own}`)
    expect([sink.lag, sets[0].lag]).toEqual([held('inflow').reduce((sum: number, one: number) => sum + one, 0), 0])
    await done(folder, `sink --until-caught-up ${own}`)
    expect(await lags('sink')).toEqual([0, 0, 0])
    expect(await done(folder, `status ${own}`)).toContain('nothing runs here')
  })

  it('shows the rate of what runs, and nothing that waits for it where nothing runs', async () => {
    expect((await readers()).every(({ rate }) => rate === null)).toBe(true)
    const up = start(folder, `up ${own}`)
    const produce = start(folder, `produce --years 2009-2012 --rate 1500 --file ${file} ${own}`)
    await until(async () => {
      const now = await readers('--over 1')
      return (
        now.filter(({ reader }) => reader === 'by_state').some(({ rate }) => rate > 50) &&
        now.filter(({ reader }) => reader === 'sink').some(({ rate }) => rate > 50)
      )
    })
    for (const one of [produce, up]) {
      one.signal('SIGINT')
      expect((await one.ended).code).toBe(0)
    }
    const { code, err } = await tidemark(folder, `status --over soon ${own}`)
    expect([code, err.trim()]).toEqual([2, 'tidemark: --over soon is no number of seconds. Give one up to 3600, e.g. --over 5.'])
  })

  it('names the last switch of versions', async () => {
    await done(folder, `up --until-caught-up ${own}`)
    const { position } = (await json(folder, `status ${own}`)).sets[0]
    await done(folder, `apply by_state@1 --cold --yes ${own}`)
    const { lastSwitch, live, promoted } = (await json(folder, `status ${own}`)).sets[0]
    expect({ live, promoted }).toEqual({ live: [1], promoted: 1 })
    expect(lastSwitch.version).toBe(1)
    expect(lastSwitch.afterSeq).toBeLessThanOrEqual(position)
    expect(Date.parse(lastSwitch.at)).toBeGreaterThan(Date.now() - limitMs)
  })
})
