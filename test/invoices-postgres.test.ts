/**
 * The example's shop in Tidemark and in a real PostgreSQL: every answer about every account, item and month is the same, to the cent, after
 * the first load, after a day's changes, and after loads that were killed.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dateOf } from '../examples/invoices/shop.ts'
import { questionsAt } from '../examples/invoices/story.ts'
import { startPostgres, type TestPostgres } from './aws/postgres.ts'
import { done, freshFolder, json, start, warehouseOf, type Printed } from './cli-run.ts'
import { readRows } from './oracle/compare.ts'
import { chance, seed } from './seeded.ts'
import { expectEqualShops } from './shops-compared.ts'
import { sets, shopIn, type ShopThere } from './shop-in-postgres.ts'

/** Larger by npm run test:long. */
const invoices = Number(process.env['TIDEMARK_INVOICES'] ?? 1_000)
const limitMs = Math.max(180_000, invoices * 20)
const kills = 30
/** By then a load of that many has ended, or nearly so. */
const mostMs = 800 + invoices / 10

let postgres: TestPostgres
let there: ShopThere
const folder = freshFolder()

beforeAll(async () => {
  postgres = await startPostgres()
  there = await shopIn(postgres)
  await done(folder, 'init --example invoices')
  for (const set of Object.keys(sets)) await done(folder, `apply ${set}@0 --yes`)
}, limitMs)
afterAll(() => postgres?.stop())

/** The day's extracts lie where the config says. */
const extract = (day: number) => done(folder, `generate --example invoices --invoices ${invoices} --seed ${seed} --day ${day} --out shop`)

const load = (day: number) => `load --at ${dateOf(day)}`

/** PostgreSQL has them, too. */
const putThere = () => there.put(join(folder, 'shop'))

async function tickAndCatchUp(day: number): Promise<void> {
  await done(folder, `tick sale_line --at ${dateOf(day)}`)
  await done(folder, 'up --until-caught-up')
}

/** How many records the stream has by now. */
const recordsSoFar = (): number =>
  Number(readRows(warehouseOf(folder), `select count(distinct _seq) from account_invoices where _change <> 'tick'`)[0]![0])

describe(`a shop of ${invoices} invoices (seed ${seed})`, { timeout: limitMs }, () => {
  it('has every answer that PostgreSQL gives, after the first load', async () => {
    await extract(1)
    await putThere()
    await done(folder, load(1))
    await tickAndCatchUp(1)
    expect(await expectEqualShops(folder, there, dateOf(1))).toBeGreaterThan(invoices)
  })

  it("has them after a day's changes, which make as many records as facts differ", async () => {
    const before = recordsSoFar()
    await extract(2)
    await putThere()
    const loaded = await json(folder, load(2))
    await tickAndCatchUp(2)
    expect(await expectEqualShops(folder, there, dateOf(2))).toBeGreaterThan(invoices)
    const differ = await there.differences()
    expect(loaded.facts.sale_line).toEqual({ ...differ, unfit: 0 })
    expect(differ.added * differ.changed * differ.removed).toBeGreaterThan(0)
    expect(recordsSoFar() - before).toBe(differ.added + differ.changed + differ.removed)
  })

  it('has them after days whose loads and consumers were killed again and again', async () => {
    let day = 3
    await extract(day)
    for (let killed = 0; killed < kills;) {
      // What has ended leaves the work of another day to the next one. By itself, up would go by today's date.
      const consumes = killed % 3 === 2
      const one = start(folder, consumes ? 'up --until-caught-up' : load(day))
      await Promise.race([one.ended, new Promise((next) => setTimeout(next, 200 + chance() * mostMs))])
      if (one.hasEnded()) await extract(++day)
      else killed++
      one.signal('SIGKILL')
      await one.ended
    }
    await done(folder, load(day))
    await putThere()
    await tickAndCatchUp(day)
    expect(await expectEqualShops(folder, there, dateOf(day))).toBeGreaterThan(invoices)
  })

  it('is what the demo tells of, with the answers that PostgreSQL gives to the same questions', async () => {
    const told = freshFolder()
    const { answers } = await json(told, 'demo --example invoices --invoices 1000')
    await there.put(join(told, '.tidemark-invoices', 'shop'))
    for (const [set, { asOf }] of Object.entries(sets)) await there.ask(`create view ${set}_latest as ${asOf(`date '${dateOf(1)}'`)}`)
    const questions = questionsAt(dateOf(1))
    for (const [i, { asks, sql }] of questions.entries()) expect({ asks, ...(await there.ask(sql)) }).toEqual(answers[i])
    expect(answers.map(({ rows }: Printed) => rows.length)).toEqual(questions.map(() => 8))
  })

  it('proves itself by a replay', async () => {
    expect(await done(folder, 'verify sale_line')).toContain('sale_line')
    for (const set of Object.keys(sets)) expect(await done(folder, `verify ${set}@0`)).toContain('computed again and equal')
  })
})
