/** The loan story told twice, on a real Kafka and on the embedded log: the warehouses must be the same but for when rows were computed. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freshFolder, json, rejectsPath, tidemark, warehouseOf } from '../cli-run.ts'
import { generated, limitMs, tellStory, valuesIn } from '../loan-folders.ts'
import { readRows, rejectsIn, storyDifferences } from '../oracle/compare.ts'
import { readLoanFile } from '../oracle/loan-file.ts'
import { lastOf, storyOf } from '../oracle/loan-story.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { unlessMissing } from '../unless-missing.ts'

const config = '--config config.json'
let kafka: TestKafka
let topicPrefixes = 0

/** A folder with a config file for each of the two logs. */
function folderOn(log: 'kafka' | 'embedded'): string {
  const folder = freshFolder()
  const chosen = log === 'kafka' ? { kind: 'kafka', brokers: kafka.brokers, topicPrefix: `story${++topicPrefixes}.` } : { kind: 'embedded' }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ log: chosen }))
  return folder
}

const views = (folder: string) =>
  readRows(warehouseOf(folder), `SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY name`) as [string, string][]

function telling(open: () => Promise<string>) {
  const folders = { kafka: '', embedded: '' }
  let path: string

  beforeAll(async () => {
    path = await open()
    folders.kafka = folderOn('kafka')
    folders.embedded = folderOn('embedded')
    await Promise.all([folders.kafka, folders.embedded].map((folder) => tellStory(folder, path, config)))
  }, limitMs)

  it('gives the rows that the embedded log gives, in the table and in every view, and those are the rows of the oracle', () => {
    expect(views(folders.kafka)).toEqual(views(folders.embedded))
    const names = views(folders.kafka).map(([name]) => name)
    const shown = ['loan_risk', 'loan_risk_2007', 'loan_risk_2007_v0', 'loan_risk_v0', 'loan_risk_v1', 'loan_risk_v2']
    expect(names).toEqual(shown.flatMap((name) => [name, `${name}_latest`]).sort())
    for (const name of ['loan_risk_rows', 'loan_risk_2007_rows', ...names]) {
      const [onKafka, embedded] = [valuesIn(folders.kafka, name), valuesIn(folders.embedded, name)]
      expect(embedded.length).toBeGreaterThan(0)
      expect(onKafka).toEqual(embedded)
    }
    const { loans } = readLoanFile(readFileSync(path))
    expect(storyDifferences(warehouseOf(folders.kafka), loans, storyOf(lastOf(loans, 2008), lastOf(loans, 2010)))).toEqual([])
  })

  it('leaves the same lines aside, and nothing unfinished', async () => {
    const rejects = (folder: string, name: string) => rejectsIn(rejectsPath(folder, name))
    for (const name of ['loan_risk', 'loan_risk_2007', 'inflow'])
      expect(rejects(folders.kafka, name)).toEqual(rejects(folders.embedded, name))
    expect((await json(folders.kafka, `versions loan_risk ${config}`)).unfinished).toEqual([])
    const { sets } = await json(folders.kafka, `status ${config}`)
    expect(sets[0]).toMatchObject({ set: 'loan_risk', promoted: 2, live: [2], duplicates: 0, dead: 0, lag: 0 })
  })

  it.each(['loan_risk@0', 'loan_risk@1', 'loan_risk@2', 'loan_risk_2007@0'])(
    'proves %s equal to a replay of the records in Kafka',
    async (version) => {
      expect(await tidemark(folders.kafka, `verify ${version} ${config}`)).toMatchObject({
        code: 0,
        out: expect.stringContaining('rows computed again and equal'),
      })
    },
    limitMs,
  )
}

function storyTests() {
  beforeAll(async () => void (kafka = await startKafka()), 600_000)
  afterAll(() => kafka?.stop())

  describe('the story of tricky.csv on Kafka', () => telling(async () => resolve('test/fixtures/tricky.csv')))
  describe('the story of 20,000 generated loans on Kafka', () => telling(() => generated(20_000)))
}

unlessMissing(missingForKafka(), storyTests)
