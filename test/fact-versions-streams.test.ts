/**
 * Sets that go over to later versions of their fact, each with a stream of its own: whatever the mode, wherever a command is killed, and
 * back again.
 */
import { describe, expect, it } from 'vitest'
import { decimal, distinct, featureSet, flag, max, sum, text, type Definition } from '../feature-defs/language.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { streamOf, standsAs } from '../streams/stream.ts'
import { loadTables } from '../use-cases/load.ts'
import { tickStream } from '../use-cases/tick.ts'
import { verifyFact } from '../use-cases/verify-fact.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import { storeInMemory, textSource } from './driver/in-memory.ts'
import type { Command } from './driver/step.ts'
import type { Cut } from './faults.ts'
import { randomFrom } from './seeded.ts'
import { sale, shopTables } from './shop-facts.ts'
import { shopOf } from './small-shop.ts'

const sale1 = sale.add({ price: decimal({ digits: 6, scale: 2, from: 'sku.price' }) })
/** Another key, and another meaning under the same names. */
const sale2 = sale1.replace({
  account_id: text({ bytes: 20, sql: 'lower(invoice.account_id)' }),
  unpaid: flag({ sql: 'invoice.paid is null or quantity > 3' }),
})

const features = {
  owing: sum('amount', { all: true, when: 'unpaid' }),
  overdue: sum('amount', { olderThanDays: 30, when: 'unpaid' }),
  recent: distinct('invoice_id', { days: 60 }),
} as const
const dearest = max('price', { all: true })
const source = { name: 'sales', per: 'account_id' } as const
const v0 = featureSet({ ...source, of: sale }, features)
const v1 = v0.over(sale1)
const v2 = v1.add({ dearest })
const v3 = v2.over(sale2)
const chain = [v0, v1, v2, v3].map(({ definition }) => definition)
const signal = new AbortController().signal

function lifeOf(chain: readonly Definition[], partitions: number, seed = 1) {
  const store = storeInMemory({ set: 'sales', per: 'account_id', chain, text: '' }, partitions, '')
  const shop = shopOf(seed)
  const defined = shopTables
  return {
    store,
    async load(texts: { readonly [table: string]: string } = shop.change(), atOnce?: number) {
      const tables = openSqliteTables(':memory:')
      const files = Object.entries(texts).map(([table, one]) => ({ table, source: textSource(one, `${table}.csv`) }))
      const asked = { definitions: chain, defined, files, partitions: () => partitions, partial: false, strict: false, dryRun: false }
      const done = await loadTables(
        { ...store.open(), tables },
        { ...asked, known: undefined, signal, agree: async () => true, report: () => {}, ...(atOnce && { atOnce }) },
      )
      tables.close()
      return done
    },
    texts: () => shop.change(),
    tick: (at: number) => tickStream(store.open(), { definitions: chain, stream: 'sale', partitions: () => partitions, at: () => at }),
    async run(command: Command) {
      const outcome = await store.run(command)
      if (outcome.ended !== 'done') throw outcome.ended === 'refused' ? outcome.why : new Error('cut')
      return outcome.said
    },
    async computed() {
      for (const command of [{ do: 'consume' }, { do: 'sink' }] as const) await this.run(command)
    },
    query: async (sql: string) => (await store.open().warehouse.query(sql)).rows,
    async versions() {
      return (await this.query(`SELECT version, state FROM tidemark_versions WHERE "set" = 'sales' ORDER BY version`).catch(() => [])) as [
        number,
        string,
      ][]
    },
  }
}
type Life = ReturnType<typeof lifeOf>

/** All that the store says of itself is so. */
async function expectRight(life: Life, facts: readonly FactSchema[]) {
  const { store } = life
  const known = await store.open().warehouse.versions('sales')
  for (const { version, state } of known) {
    if (state === 'retired' || state === 'registered' || state === 'filling') continue
    expect({ version, ...(await life.run({ do: 'verify', version })) }).toEqual({ version, equal: true, named: [] })
  }
  expect(await store.complaints()).toEqual([])
  // Each number is one version's.
  expect(await life.query('SELECT _seq FROM sales GROUP BY _seq HAVING count(DISTINCT _version) > 1')).toEqual([])
  expect(await life.query('SELECT _seq, account_id FROM sales GROUP BY _seq, account_id HAVING count(*) > 1')).toEqual([])
  const tables = openSqliteTables(':memory:')
  const proof = await verifyFact({ ...store.open(), tables }, { fact: 'sale', signal, report: () => {} })
  expect(proof).toMatchObject({ equal: true, differences: 0, notSunk: 0, versions: facts.length })
  tables.close()
}

/** The newest features of the keys that have facts. */
async function newest(life: Life, view: string, fact: FactSchema, names: readonly string[]) {
  const standing = standsAs(streamOf(fact))
  return life.query(
    `SELECT account_id, ${names.join(', ')} FROM ${view} WHERE coalesce(account_id, '') IN (SELECT coalesce(account_id, '') FROM ${standing}) ORDER BY account_id`,
  )
}

/** A store of the same files that had that version from the start. */
async function fresh(version: number, texts: { readonly [table: string]: string }, date: number, partitions: number) {
  const { record, features } = chain[version]!
  const only = lifeOf([{ ...chain[0]!, record, features }], partitions)
  await only.run({ do: 'apply', version: 0, mode: undefined } as never)
  await only.load(texts)
  await only.tick(date)
  await only.computed()
  return newest(
    only,
    'sales_latest',
    record as FactSchema,
    features.map(({ name }) => name),
  )
}

const modes = ['backfill', 'shadow', 'forward-only'] as const

describe('a set over a later version of its fact', () => {
  it.each(modes.flatMap((mode) => [1, 3].map((partitions) => ({ mode, partitions }))))(
    'is right at each step: $mode, $partitions partitions',
    async ({ mode, partitions }) => {
      const life = lifeOf(chain, partitions, partitions)
      await life.run({ do: 'apply', version: 0, mode: undefined } as never)
      await life.load()
      await life.tick(18_020)
      await life.computed()
      await life.load()
      await expectRightAfter(life, [sale])

      await life.run({ do: 'apply', version: 1, mode })
      await expectRightAfter(life, [sale, sale1])
      for (const day of [18_030, 18_050]) {
        await life.load()
        await life.tick(day)
        await expectRightAfter(life, [sale, sale1])
      }
      if (mode === 'shadow') await life.run({ do: 'promote', version: 1 })
      await life.load()
      await expectRightAfter(life, [sale, sale1])
      await life.run({ do: 'rollback' })
      await life.load()
      await expectRightAfter(life, [sale, sale1])
      await life.run({ do: 'promote', version: 1 })
      await life.run({ do: 'apply', version: 2, mode })
      if (mode === 'shadow') await life.run({ do: 'promote', version: 2 })
      await life.load()
      await expectRightAfter(life, [sale, sale1])
      await life.run({ do: 'apply', version: 3, mode })
      if (mode === 'shadow') await life.run({ do: 'promote', version: 3 })
      const texts = life.texts()
      await life.load(texts)
      await life.tick(18_090)
      await expectRightAfter(life, [sale, sale1, sale2])
      const names = chain[3]!.features.map(({ name }) => name)
      if (mode !== 'forward-only')
        expect(await newest(life, 'sales_v3_latest', sale2, names)).toEqual(await fresh(3, texts, 18_090, partitions))
    },
  )
})

async function expectRightAfter(life: Life, facts: readonly FactSchema[]) {
  await life.computed()
  await expectRight(life, facts)
}

void randomFrom
void ({} as Cut)
