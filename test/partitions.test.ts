/**
 * A feature set with a key on an inflow of several partitions: the whole life of its versions, compared row by row with a plain computation
 * per key.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, start, tidemark, warehouseOf } from './cli-run.ts'
import { generated, limitMs, only } from './loan-folders.ts'
import { differences } from './oracle/compare.ts'
import { keyedRows, keyOf, type KeyedOwner } from './oracle/keyed-story.ts'
import { readLoanFile, type Loan } from './oracle/loan-file.ts'
import { chance, seed } from './seeded.ts'

const partitions = 4
const text = `import { ema, featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })
export const v2 = v1.replace({ ma50: ema('risk_score', { span: 50, round: 3 }) })`
const keyless = `import { featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'plain', of: rejectedLoan }, { ma50: mean('risk_score', { last: 50, round: 3 }) })`
const byZip = keyless.replace(`name: 'plain', of: rejectedLoan`, `name: 'by_zip', of: rejectedLoan, per: 'zip_code'`)

const own = '--config own.json'
let file: string
let loans: readonly Loan[]

function folderWith(definitions: string, folder = freshFolder()): string {
  writeFileSync(join(folder, 'features.ts'), definitions)
  writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'features.ts', log: { kind: 'embedded', partitions } }))
  return folder
}

beforeAll(async () => {
  file = await generated(20_000)
  loans = readLoanFile(readFileSync(file)).loans
}, limitMs)

const until = (year: number) => loans.filter((loan) => loan.year <= year)
const v0: KeyedOwner = { version: 0, afterYear: 0, untilYear: Infinity, ma50: { mean: 50 } }

describe('a set with a key, on several partitions', () => {
  it(
    'computes every key by itself through batch, stream and every change of version, and can prove it',
    async () => {
      const folder = folderWith(text)
      const run = (words: string) => done(folder, `${words} ${own}`)
      const wrong = (view: string, years: number, owner: KeyedOwner) =>
        differences(warehouseOf(folder), view, keyedRows(until(years), partitions, owner))
      await run(`backfill --years 2007 --file ${file}`)
      await run(`produce --years 2008 --file ${file}`)
      await run('up --until-caught-up')
      expect(wrong('by_state_v0', 2008, v0)).toEqual([])
      expect(await run(`backfill --years 2007 --file ${file}`)).toMatch(/^nothing new/)

      await run('apply by_state@1 --cold --yes')
      await run(`produce --years 2009 --file ${file}`)
      await run('up --until-caught-up')
      const v1: KeyedOwner = { version: 1, afterYear: 2008, untilYear: Infinity, ma50: { mean: 50 }, ma100: { mean: 100, fromYear: 2008 } }
      expect(wrong('by_state_v0', 2009, { ...v0, untilYear: 2008 })).toEqual([])
      expect(wrong('by_state_v1', 2009, v1)).toEqual([])

      await run('apply by_state@2 --yes')
      await run(`produce --years 2010 --file ${file}`)
      await run('up --until-caught-up')
      const v2: KeyedOwner = { version: 2, afterYear: 0, untilYear: Infinity, ma50: { span: 50 }, ma100: { mean: 100, fromYear: 0 } }
      expect(wrong('by_state_v2', 2010, v2)).toEqual([])
      expect(wrong('by_state', 2010, v2)).toEqual([])

      await run('rollback by_state --yes')
      await run(`produce --years 2011 --file ${file}`)
      await run('up --until-caught-up')
      expect(wrong('by_state_v1', 2011, v1)).toEqual([])
      expect(wrong('by_state_v2', 2011, { ...v2, untilYear: 2010 })).toEqual([])

      for (const version of [0, 1, 2]) expect(await run(`verify by_state@${version}`)).toMatch(/rows computed again and equal$/)
      const switches = JSON.parse(String(only(folder, 'SELECT switches FROM tidemark_versions WHERE version = 1')[0])) as {
        partition: number
        afterSeq: number
      }[]
      expect(switches.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
      expect(new Set(switches.map(({ afterSeq }) => afterSeq)).size).toBe(partitions)
      expect((await json(folder, `versions by_state ${own}`)).unfinished).toEqual([])
      expect(new Set(loans.map(keyOf)).size).toBeGreaterThan(20)
    },
    3 * limitMs,
  )

  it(
    `is backfilled as if never stopped by a command that is killed again and again (seed ${seed})`,
    async () => {
      const [folder, undisturbed] = [folderWith(text), folderWith(text)]
      for (const one of [folder, undisturbed]) await done(one, `apply by_state@0 --yes ${own}`)
      const words = `backfill --years 2007-2009 --file ${file} ${own}`
      const startedMs = performance.now()
      await done(undisturbed, words)
      const wholeMs = performance.now() - startedMs
      let cut = 0
      for (let kills = 0; kills < 8; kills++) {
        const one = start(folder, words)
        // Later and later: the first ones surely come before it is done, whatever else the machine does.
        const timer = setTimeout(() => one.signal('SIGKILL'), wholeMs * (0.3 + 0.09 * kills + 0.1 * chance()))
        const { code } = await one.ended
        clearTimeout(timer)
        if (code === null) cut++
      }
      expect(cut).toBeGreaterThan(0)
      await done(folder, words)
      expect(differences(warehouseOf(folder), 'by_state_v0', keyedRows(until(2009), partitions, v0))).toEqual([])
      expect(await done(folder, `verify by_state@0 ${own}`)).toMatch(/equal$/)
    },
    limitMs,
  )
})

describe('an inflow of several partitions', () => {
  it(
    'refuses a set without a key, by name and with what to do',
    async () => {
      const folder = folderWith(text)
      await done(folder, `produce --years 2007 --file ${file} ${own}`)
      folderWith(keyless, folder)
      for (const words of ['plan plain@0', 'apply plain@0 --yes', `produce --years 2008 --file ${file}`]) {
        const { code, err } = await tidemark(folder, `${words} ${own}`)
        expect(code).toBe(1)
        expect(err).toMatch(/^tidemark: (plain has no key, so its records are one stream, and )?inflow has 4 partitions.*per: 'FIELD'/)
      }
    },
    limitMs,
  )

  it(
    'is not made for a set without a key, nor by a sink that has nothing to write',
    async () => {
      const folder = folderWith(keyless)
      for (const words of [`produce --years 2007 --file ${file}`, 'sink --until-caught-up', 'up --until-caught-up'])
        expect(await tidemark(folder, `${words} ${own}`)).toMatchObject({ code: 1 })
      expect(await json(folder, `topics ${own}`)).toEqual([])
    },
    limitMs,
  )

  it(
    'keeps the partitions it was made with, whatever the config says later',
    async () => {
      const folder = freshFolder()
      writeFileSync(join(folder, 'features.ts'), keyless)
      writeFileSync(join(folder, 'own.json'), JSON.stringify({ features: 'features.ts' }))
      await done(folder, `apply plain@0 --yes ${own}`)
      folderWith(text, folder)
      const { code, err } = await tidemark(folder, `plan by_state@0 ${own}`)
      // The topic keeps the one partition it was made with, and a key does no harm there.
      expect({ code, err }).toEqual({ code: 0, err: '' })
    },
    limitMs,
  )

  it(
    'refuses a set with another key than the one its records were spread by',
    async () => {
      const folder = folderWith(text)
      await done(folder, `produce --years 2007 --file ${file} ${own}`)
      folderWith(byZip, folder)
      const { code, err } = await tidemark(folder, `plan by_zip@0 ${own}`)
      expect(code).toBe(1)
      expect(err).toBe(
        'tidemark: by_zip is per zip_code, and the 4 partitions of inflow are keyed by state. Use an inflow of one partition, ' +
          'or one that was produced by zip_code.\n',
      )
    },
    limitMs,
  )
})
