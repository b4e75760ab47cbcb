/**
 * The loan story in the cloud profile: Kafka, Glue and Redshift, through the command line. Redshift must hold what the embedded warehouse
 * holds, row by row, also when the sink is killed at random moments while calls are throttled, refused and their answers lost.
 */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, start, tidemark } from '../cli-run.ts'
import { generated, limitMs } from '../loan-folders.ts'
import { chance, seed } from '../seeded.ts'
import { embeddedRows, missingForCloud, redshiftCount, redshiftRows, redshiftViews, startCloud, type Cloud } from './cloud.ts'
import { noFaults } from './data-api-faults.ts'
import { unlessMissing } from '../unless-missing.ts'

const config = '--config config.json'
let cloud: Cloud

function embeddedFolder(): string {
  const folder = freshFolder()
  writeFileSync(join(folder, 'config.json'), '{}')
  return folder
}

/**
 * The sink runs after the first version's part, and after the other two: those are more than one write, and the progress rides on the last.
 */
async function tellStory(folder: string, file: string, sink: () => Promise<unknown>): Promise<void> {
  const step = (words: string) => done(folder, `${words} ${config}`)
  await step('apply loan_risk@0 --yes')
  await step(`backfill --years 2007 --file ${file}`)
  await step(`backfill --years 2007 --features loan_risk_2007 --file ${file}`)
  await step(`produce --years 2008 --file ${file}`)
  await step('consume --until-caught-up')
  await sink()
  await step('apply loan_risk@1 --cold --yes')
  await step(`produce --years 2009-2010 --file ${file}`)
  await step('consume --until-caught-up')
  await step('apply loan_risk@2 --forward-only --yes')
  await step(`produce --years 2011-2012 --file ${file}`)
  await step('consume --until-caught-up')
  await sink()
}

const tables = [
  'loan_risk_rows',
  'loan_risk_2007_rows',
  'loan_risk',
  'loan_risk_2007',
  'loan_risk_2007_v0',
  'loan_risk_v0',
  'loan_risk_v1',
  'loan_risk_v2',
  'loan_risk_latest',
  'loan_risk_2007_latest',
  'loan_risk_2007_v0_latest',
  'loan_risk_v0_latest',
  'loan_risk_v1_latest',
  'loan_risk_v2_latest',
]

async function expectSame(schema: string, embedded: string): Promise<void> {
  for (const table of tables) {
    const expected = embeddedRows(embedded, table)
    expect(expected.length, table).toBeGreaterThan(0)
    expect(await redshiftRows(cloud.api, schema, embedded, table), table).toEqual(expected)
  }
}

function storyTests() {
  beforeAll(async () => void (cloud = await startCloud()), 600_000)
  afterAll(() => cloud?.stop())

  it(
    'the story of tricky.csv gives the rows and views that the embedded profile gives, and verify agrees',
    async () => {
      const [file, embedded, { folder, schema }] = [resolve('test/fixtures/tricky.csv'), embeddedFolder(), cloud.folder()]
      await Promise.all([embedded, folder].map((one) => tellStory(one, file, () => done(one, `sink --until-caught-up ${config}`))))
      expect(await redshiftViews(cloud.api, schema)).toEqual(tables.filter((name) => !name.endsWith('_rows')).sort())
      await expectSame(schema, embedded)
      expect((await json(folder, `versions loan_risk ${config}`)).unfinished).toEqual([])
      for (const version of ['loan_risk@1', 'loan_risk@2'])
        expect(await tidemark(folder, `verify ${version} ${config}`)).toMatchObject({ code: 0, err: '' })
    },
    limitMs,
  )

  it(
    'the story of 20,000 loans survives a sink that is killed again and again, and a service that throttles, refuses and loses answers',
    async () => {
      console.log(`kills and faults at the moments of TIDEMARK_SEED=${seed}`)
      const [file, embedded, { folder, schema }] = [await generated(20_000, seed), embeddedFolder(), cloud.folder()]
      const toll: Toll = { kills: 0, amidst: 0, rows: [] }
      await Promise.all([
        tellStory(embedded, file, () => done(embedded, `sink --until-caught-up ${config}`)),
        tellStory(folder, file, () => killSinks(folder, schema, toll)).then(() => done(folder, `sink --until-caught-up ${config}`)),
      ])
      const { kills, amidst, rows } = toll
      console.log(`${kills} kills, ${amidst} of them while rows were being written; rows after each: ${rows.join(', ')}`)
      expect(amidst).toBeGreaterThan(0)
      await expectSame(schema, embedded)
    },
    limitMs,
  )
}

type Toll = { kills: number; amidst: number; readonly rows: number[] }

/** When a sink is killed: at any time, or while Redshift is at a write of its, which is then undone or comes true. */
const moments = ['any', 'undone', 'done', 'done'] as const
const stage = '"tidemark_stage"'

/** Each sink meets other faults. */
async function killSinks(folder: string, schema: string, toll: Toll): Promise<void> {
  const { faults } = cloud.api
  const upTo = (most: number) => Math.floor(chance() * (most + 1))
  const isWriting = () => cloud.api.running().some((statements) => statements.some((sql) => sql.includes(stage)))
  for (const moment of moments) {
    const trouble = { throttle: upTo(2), loseRequests: upTo(1), loseReplies: upTo(2), internalErrors: upTo(1), tooManyActive: upTo(1) }
    const undone = { conflicts: moment === 'undone' ? 9 : 0, conflictsIn: stage }
    Object.assign(faults, noFaults(), trouble, undone, { queueMs: upTo(100), only: ['BatchExecuteStatement'] })
    const sink = start(folder, `sink --until-caught-up ${config}`)
    while (moment !== 'any' && !isWriting() && !sink.hasEnded()) await sleep(2)
    await sleep(chance() * (moment === 'any' ? 2500 : 60))
    if (isWriting()) toll.amidst++
    sink.signal('SIGKILL')
    const { code, err } = await sink.ended
    if (code === null) toll.kills++
    else expect(code, err).toBe(0)
    // What the service was given it finishes, whoever has died.
    while (cloud.api.running().length > 0) await sleep(5)
    toll.rows.push(await redshiftCount(cloud.api, `${schema}.loan_risk_rows`))
  }
  Object.assign(faults, noFaults())
}

unlessMissing(missingForCloud(), () => describe('the cloud profile', storyTests))
