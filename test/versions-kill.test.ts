/**
 * Every command on versions, and the stages beside it, killed at random moments and run again: in the end every version has exactly its
 * rows.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, start, tidemark, until, warehouseOf, type Running } from './cli-run.ts'
import { generated, limitMs, only, withDefinitions } from './loan-folders.ts'
import { storyDifferences } from './oracle/compare.ts'
import { readLoanFile, type LoanFile } from './oracle/loan-file.ts'
import type { Meaning, Owner } from './oracle/loan-story.ts'
import { chance, isLong, seed } from './seeded.ts'

const rows = 20_000
const killsAtLeast = isLong ? 50 : 25

const moment = () => new Promise((next) => setTimeout(next, 50 + chance() * 550))

const definitions = `import { ema, featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'loan_risk', of: rejectedLoan }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })
export const v2 = v1.replace({ ma50: ema('risk_score', { span: 50, round: 3 }) })
export const v3 = v2.replace({ ma100: mean('risk_score', { last: 30, round: 3 }) })
export const v4 = v3.replace({ ma50: mean('risk_score', { last: 20, round: 3 }) })`

let path: string
let file: LoanFile

beforeAll(async () => {
  console.log(`kills at the moments of TIDEMARK_SEED=${seed}`)
  path = await generated(rows, seed)
  file = readLoanFile(readFileSync(path))
}, limitMs)

describe('a version', () => {
  it(
    'comes, goes and comes back as it should, whatever is killed meanwhile',
    async () => {
      const folder = freshFolder()
      const own = withDefinitions(folder, definitions)
      let kills = 0
      /** Whether it was still at work when the signal came. */
      const killed = async (one: Running) => {
        await Promise.race([moment(), one.ended])
        one.signal('SIGKILL')
        const { code, err } = await one.ended
        if (code === null) return ++kills
        expect({ code, err }).toMatchObject({ code: 0 })
        return 0
      }
      /** Kills the command again and again, then lets it finish; one that finished by itself is not run again. */
      const throughKills = async (words: string, times: number) => {
        for (let time = 0; time < times; time++) if ((await killed(start(folder, `${words} ${own} --yes`))) === 0) return
        await done(folder, `${words} ${own} --yes`)
      }
      const unfinished = async () => (await json(folder, 'versions')).unfinished

      await done(folder, `apply loan_risk@0 ${own} --yes`)
      await done(folder, `backfill --years 2007-2008 --file ${path} ${own}`)
      const produce = start(folder, `produce --years 2009-2012 --rate 1200 --file ${path} ${own}`)
      let going = true
      const stages = Promise.all(
        ['consume', 'sink'].map(async (stage) => {
          while (going) await killed(start(folder, stage))
        }),
      )
      try {
        await throughKills('apply loan_risk@1 --cold', 4)
        await throughKills('apply loan_risk@2 --forward-only', 4)
        await throughKills('apply loan_risk@3 --backfill', 5)
        expect(await unfinished()).toEqual([])
        await throughKills('apply loan_risk@4 --shadow', 5)
        await throughKills('promote loan_risk@4', 4)
        expect(only(folder, 'SELECT min(_version), max(_version) FROM loan_risk')).toEqual([4, 4])

        // A rollback that was cut short is finished by what `versions` says; it would go a step further only when it had come to its end.
        await killed(start(folder, `rollback loan_risk ${own} --yes`))
        if ((await json(folder, 'status')).sets[0].promoted === 4) await done(folder, `rollback loan_risk ${own} --yes`)
        await throughKills('promote loan_risk@3', 3)
        expect(await unfinished()).toEqual([])
        expect((await json(folder, 'status')).sets[0]).toMatchObject({ promoted: 3, live: [3] })
        await throughKills('promote loan_risk@4', 3)
        await until(() => kills >= killsAtLeast)
      } finally {
        going = false
        await stages
        produce.signal('SIGINT')
      }
      expect(await produce.ended).toMatchObject({ code: 0 })
      await done(folder, `produce --years 2009-2012 --file ${path} ${own}`)
      await done(folder, 'up --until-caught-up')
      console.log(`${kills} kills`)

      const { versions, unfinished: left } = await json(folder, 'versions')
      expect(left).toEqual([])
      expect((await json(folder, 'status')).sets[0]).toMatchObject({ promoted: 4, live: [4], duplicates: 0, lag: 0 })
      const owner = (version: number, ma50: Meaning, ma100?: Meaning): Owner => ({
        version,
        after: versions[version].rowsAfter,
        until: versions[version].rowsUntil ?? Infinity,
        ma50,
        ...(ma100 && { ma100 }),
      })
      const [coldMa100, mean50, ema50] = [{ mean: 100, from: versions[1].switchedAfter }, { mean: 50, from: 0 }, { span: 50 }]
      const owners = [
        owner(0, mean50),
        owner(1, mean50, coldMa100),
        owner(2, ema50, coldMa100),
        owner(3, ema50, { mean: 30, from: 0 }),
        owner(4, { mean: 20, from: 0 }, { mean: 30, from: 0 }),
      ]
      for (const version of [3, 4]) expect(owners[version]!.after).toBe(0)
      expect(storyDifferences(warehouseOf(folder), file.loans, owners)).toEqual([])
      for (const { version } of owners) expect(await tidemark(folder, `verify loan_risk@${version}`)).toMatchObject({ code: 0 })
    },
    limitMs,
  )
})
