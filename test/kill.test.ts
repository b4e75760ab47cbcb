/**
 * Real processes killed at random moments and started again until the work is done: then the warehouse must hold exactly what it should.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadPosition } from '../streams/position.ts'
import { done, freshFolder, json, rejectsPath, start, tidemark, until, warehouseOf } from './cli-run.ts'
import { endOf } from './contracts/messages.ts'
import { limitMs, loansWithBadLines, withPorts } from './loan-folders.ts'
import { readRows, rejectsIn, rejectsOf, storyDifferences } from './oracle/compare.ts'
import { readLoanFile, type LoanFile } from './oracle/loan-file.ts'
import { lastOf, onlyV0, storyOf, type Owner } from './oracle/loan-story.ts'
import { chance, isLong, seed } from './seeded.ts'

const killsOfEach = isLong ? 12 : 6

const pauseUpTo = (ms: number) => new Promise((next) => setTimeout(next, chance() * ms))

let path: string
let file: LoanFile
/** What a small command takes on this machine now: kills are spread over that. */
let commandMs: number

beforeAll(async () => {
  console.log(`kills at the moments of TIDEMARK_SEED=${seed}`)
  path = await loansWithBadLines(freshFolder(), 20_000, seed)
  file = readLoanFile(readFileSync(path))
  const startedMs = performance.now()
  await done(freshFolder(), 'apply loan_risk@0 --yes')
  commandMs = performance.now() - startedMs
}, limitMs)

const expectRows = (folder: string, owners: readonly Owner[], { loans }: Pick<LoanFile, 'loans'> = file) =>
  expect(storyDifferences(warehouseOf(folder), loans, owners)).toEqual([])
const rejects = (folder: string, name: string) => rejectsIn(rejectsPath(folder, name))
const rowsShown = (folder: string) => readRows(warehouseOf(folder), 'SELECT count(*) FROM loan_risk')[0]![0] as number

describe('produce, consume and sink', () => {
  it(
    'killed again and again while rows move, lose none and double none',
    async () => {
      const folder = freshFolder()
      await done(folder, 'apply loan_risk@0 --yes')
      await done(folder, `backfill --years 2007 --file ${path}`)
      const produce = `produce --years 2008-2012 --file ${path}`

      const killed = await withPorts(folder, async ({ log, checkpoints, warehouse }) => {
        const end = (topic: string) => endOf(log, topic)
        /**
         * Starts a stage and kills it, time and again: every other time when rows have just moved, else at any time. Counts the kills of a
         * stage that had moved rows.
         */
        const killOver = async (words: string, moved: () => Promise<number>, enough: (kills: number, amidst: number) => boolean) => {
          let amidst = 0
          for (let kills = 0; !enough(kills, amidst); kills++) {
            const before = await moved()
            const stage = start(folder, words)
            const waitUntilMs = performance.now() + 2000
            if (kills % 2 === 0) await until(async () => (await moved()) > before || stage.hasEnded() || performance.now() > waitUntilMs, 3)
            await pauseUpTo(kills % 2 === 0 ? 40 : 700)
            stage.signal('SIGKILL')
            if ((await stage.ended).code === null && (await moved()) > before) amidst++
          }
          return amidst
        }
        let readers = 2
        const reading = (words: string, moved: () => Promise<number>) =>
          killOver(words, moved, (kills, amidst) => kills >= killsOfEach && amidst > 0).finally(() => readers--)
        return Promise.all([
          killOver(
            `${produce} --rate 1500`,
            () => end('inflow'),
            (kills, amidst) => kills >= killsOfEach && amidst > 0 && readers === 0,
          ),
          reading('consume', async () => (await loadPosition(checkpoints, 'loan_risk', 0)).offset),
          reading('sink', async () => (await warehouse.progress('sink/outflow/0')) ?? 0),
        ])
      })
      for (const amidst of killed) expect(amidst).toBeGreaterThan(0)

      await done(folder, produce)
      await done(folder, 'up --until-caught-up')
      expectRows(folder, onlyV0)
      expect(rejects(folder, 'inflow')).toEqual(rejectsOf(file, 2008, 2012))
      expect((await json(folder, 'status')).sets[0]).toMatchObject({ duplicates: 0, dead: 0, lag: 0 })
      await done(folder, 'verify loan_risk@0')
    },
    limitMs,
  )
})

describe('backfill', () => {
  const backfill = () => `backfill --years 2007-2011 --file ${path}`
  const loansUntil = (year: number) => ({ loans: file.loans.filter((loan) => loan.year <= year) })

  /** A folder whose backfill was killed with some of its rows written. */
  async function halfDone(): Promise<string> {
    for (let attempt = 1; attempt <= 20; attempt++) {
      const folder = freshFolder()
      await done(folder, 'apply loan_risk@0 --yes')
      const caught = await withPorts(folder, async ({ checkpoints }) => {
        const isHeld = async () => (await loadPosition(checkpoints, 'loan_risk', 0)).hold?.kind === 'backfill'
        const one = start(folder, backfill())
        await until(async () => one.hasEnded() || (await isHeld()), 1)
        await pauseUpTo(30)
        one.signal('SIGKILL')
        await one.ended
        return isHeld()
      })
      if (caught) return folder
    }
    throw new Error('no backfill could be killed between its first row and its end')
  }

  it(
    'killed at any moment is finished by the same command',
    async () => {
      const folder = freshFolder()
      for (let kill = 0; kill < killsOfEach / 2; kill++) {
        const one = start(folder, backfill())
        await pauseUpTo(2 * commandMs)
        one.signal('SIGKILL')
        await one.ended
      }
      await done(folder, backfill())
      expectRows(folder, onlyV0, loansUntil(2011))
      expect(rejects(folder, 'loan_risk')).toEqual(rejectsOf(file, 2007, 2011))
      await done(folder, 'verify loan_risk@0')
    },
    limitMs,
  )

  it(
    'half done has the consumer wait, until the same command finishes it',
    async () => {
      const folder = await halfDone()
      const up = start(folder, 'up')
      await done(folder, `produce --years 2012 --file ${path}`)
      await until(() => up.err().includes('waiting, a backfill of 2007-2011 from loans.csv'))
      const before = await json(folder, 'versions')
      const refused = expect.stringContaining('has not finished. Let it finish, run it again to finish it, or take it back')
      expect(await tidemark(folder, 'apply loan_risk@1 --cold --yes')).toMatchObject({ code: 1, err: refused })
      expect((await json(folder, 'versions')).versions).toEqual(before.versions)
      await done(folder, backfill())
      await until(() => rowsShown(folder) === file.loans.length)
      up.signal('SIGINT')
      expect(await up.ended).toMatchObject({ code: 0 })
      expectRows(folder, onlyV0)
      expect([...rejects(folder, 'loan_risk'), ...rejects(folder, 'inflow')]).toEqual(rejectsOf(file, 2007, 2012))
    },
    limitMs,
  )

  it(
    'half done can be taken back, as if it had never been',
    async () => {
      const folder = await halfDone()
      expect(await done(folder, 'backfill --undo --yes')).toBe('took back the unfinished backfill of loan_risk')
      expect(rowsShown(folder)).toBe(0)
      expect(await done(folder, 'backfill --undo --yes')).toBe('loan_risk has no unfinished backfill')
      await done(folder, `backfill --years 2007-2008 --file ${path}`)
      expectRows(folder, onlyV0, loansUntil(2008))
      expect(rejects(folder, 'loan_risk')).toEqual(rejectsOf(file, 2007, 2008))
      await done(folder, 'consume --until-caught-up')
    },
    limitMs,
  )
})

describe('apply', () => {
  it.each([
    { mode: '--cold', rounds: isLong ? 2 : 1 },
    { mode: '--backfill', rounds: 1 },
  ])(
    '$mode and then --forward-only, killed at any moment beside a running consumer, is finished by the same command',
    async ({ mode, rounds }) => {
      let amidst = 0
      for (let round = 0; round < rounds; round++) {
        const folder = freshFolder()
        await done(folder, `backfill --years 2007-2008 --file ${path}`)
        const up = start(folder, 'up')
        const produce = start(folder, `produce --years 2009-2011 --rate 4000 --file ${path}`)
        const first = lastOf(file.loans, 2008)
        await until(() => up.hasEnded() || rowsShown(folder) > loansBefore(first) + 300)

        for (const words of [`apply loan_risk@1 ${mode} --yes`, 'apply loan_risk@2 --forward-only --yes']) {
          const shown = rowsShown(folder)
          for (let kill = 0; kill < 2; kill++) {
            const one = start(folder, words)
            await pauseUpTo(1.3 * commandMs)
            one.signal('SIGKILL')
            if ((await one.ended).code === null) amidst++
            // Whatever was left half done, nobody misses a row.
            expect(rowsShown(folder)).toBeGreaterThanOrEqual(shown)
          }
          await done(folder, words)
        }
        expect(await produce.ended).toMatchObject({ code: 0 })
        await done(folder, `produce --years 2012 --file ${path}`)
        await until(() => up.hasEnded() || rowsShown(folder) === file.loans.length)
        up.signal('SIGINT')
        expect(await up.ended).toMatchObject({ code: 0 })

        const { versions, unfinished } = await json(folder, 'versions loan_risk')
        expect(unfinished).toEqual([])
        const [v0, v1, v2] = storyOf(versions[1].switchedAfter, versions[2].switchedAfter) as [Owner, Owner, Owner]
        // A backfilled v1 has rows for all history, and its ma100 has seen all of it; v0 goes on until v1 is shown.
        const filled = { ma100: { mean: 100, from: 0 } }
        expectRows(
          folder,
          mode === '--cold'
            ? [v0, v1, v2]
            : [
                { ...v0, until: versions[0].rowsUntil },
                { ...v1, ...filled, after: 0 },
                { ...v2, ...filled },
              ],
        )
        for (const version of [0, 1, 2]) await done(folder, `verify loan_risk@${version}`)
      }
      expect(amidst).toBeGreaterThan(0)
    },
    limitMs,
  )
})

const loansBefore = (seq: number) => file.loans.filter((loan) => loan.seq <= seq).length
