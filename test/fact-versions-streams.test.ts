/**
 * Sets that go over to later versions of their fact, each with a stream of its own: whatever the mode, wherever a command is killed, and
 * back again.
 */
import { describe, expect, it } from 'vitest'
import { decimal, distinct, featureSet, flag, max, sum, text, type Definition } from '../feature-defs/language.ts'
import { tick } from '../ingest/tick.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { inflowReader } from '../streams/inflow.ts'
import { streamOf, standsAs } from '../streams/stream.ts'
import { loadTables } from '../use-cases/load.ts'
import { planOf } from '../use-cases/plan.ts'
import { repairSets } from '../use-cases/repair.ts'
import { tickStream } from '../use-cases/tick.ts'
import { verifyFact } from '../use-cases/verify-fact.ts'
import { openSqliteTables } from '../utilities/sqlite/tables/tables.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { columnOf } from '../utilities/values/columns.ts'
import { factStore, standingAfter, type Message } from './fact-store.ts'
import { storeInMemory, textSource } from './driver/in-memory.ts'
import { runCommand } from './driver/commands.ts'
import type { Command } from './driver/step.ts'
import { seed } from './seeded.ts'
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
    async load(texts: { readonly [table: string]: string } = shop.change(), { stopped = false } = {}) {
      const stop = new AbortController()
      const tables = openSqliteTables(':memory:')
      const files = Object.entries(texts).map(([table, one]) => ({ table, source: textSource(one, `${table}.csv`) }))
      const asked = { definitions: chain, defined, files, partitions: () => partitions, partial: false, strict: false, dryRun: false }
      const done = await loadTables(
        { ...store.open(), tables },
        {
          ...asked,
          known: undefined,
          signal: stop.signal,
          agree: async () => true,
          // After the first of many commits.
          report: ({ doing }) => void (stopped && doing === 'writing' && stop.abort()),
          ...(stopped && { atOnce: 1 }),
        },
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
  }
}
type Life = ReturnType<typeof lifeOf>

/** Commands on another set of the same store. */
const storeOver = (life: Life, chain: readonly Definition[]) => (command: Command) =>
  runCommand(life.store.open(), command, {
    set: { set: chain[0]!.set, per: chain[0]!.per, chain, text: '' },
    partitions: 1,
    source: textSource(''),
    signal,
  })

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
  const standing = `SELECT coalesce(account_id, '') FROM ${standsAs(streamOf(fact))}`
  return life.query(
    `SELECT account_id, ${names.join(', ')} FROM ${view} WHERE coalesce(account_id, '') IN (${standing}) ORDER BY account_id`,
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

describe(`a set over a later version of its fact, seed ${seed}`, () => {
  it.each(modes.flatMap((mode) => [1, 3].map((partitions) => ({ mode, partitions }))))(
    'is right at each step: $mode, $partitions partitions',
    async ({ mode, partitions }) => {
      const life = lifeOf(chain, partitions, seed + partitions)
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
      expect((await repairSets(life.store.open(), { only: 'sales', signal, reportOn: () => () => {} })).sets).toMatchObject([
        {
          facts: ['sale', 'sale.v1', 'sale.v2'].map((fact) => ({ fact, removed: 0 })),
          versions: [0, 1, 2, 3].map(() => ({ written: 0, removed: 0 })),
        },
      ])
      await expectRightAfter(life, [sale, sale1, sale2])
      if (mode !== 'forward-only')
        expect(await newest(life, 'sales_v3_latest', sale2, names)).toEqual(await fresh(3, texts, 18_090, partitions))
    },
  )
})

async function expectRightAfter(life: Life, facts: readonly FactSchema[]) {
  await life.computed()
  await expectRight(life, facts)
}

/** What the streams of these facts hold: the number and the key of each change, and the dates of ticks. */
async function told(life: Life, fact: FactSchema) {
  const { log, registry } = life.store.open()
  const { inflow } = streamOf(fact)
  const reader = await inflowReader(registry, fact, [])
  const found: { readonly seq: number; readonly key: string | null }[] = []
  for (let partition = 0; partition < (await log.partitions(inflow)); partition++)
    for await (const fetched of log.read(inflow, { partition, from: 0 })) {
      const { columns } = await reader.read(fetched, Infinity)
      const keyAt = textsOf(columnOf(columns, 'key', 'text'))
      columnOf(columns, '_seq', 'int').values.forEach((seq, row) => found.push({ seq, key: keyAt(row) }))
    }
  return found
}

const begun = async (life: Life) => {
  await life.run({ do: 'apply', version: 0, mode: undefined } as never)
  await life.load()
  await life.tick(18_020)
  await life.computed()
}

describe('streams of versions of a fact', () => {
  it('give a change one number in each, and begin with the facts that stand and the last tick', async () => {
    for (const partitions of [1, 3]) {
      const life = lifeOf(chain, partitions, 7)
      await begun(life)
      const before = Math.max(...(await told(life, sale)).map(({ seq }) => seq))
      await life.run({ do: 'apply', version: 1, mode: 'backfill' })
      const first = await told(life, sale1)
      const standing = (await life.query('SELECT _key FROM tidemark_standing_sale ORDER BY _key')).map(([key]) => key)
      expect(first.flatMap(({ key }) => key ?? []).sort()).toEqual(standing)
      expect(Math.min(...first.map(({ seq }) => seq))).toBe(before + 1)
      expect(first.filter(({ key }) => key === null)).toEqual(Array.from({ length: partitions }, () => ({ seq: before + 1, key: null })))
      const begins = Math.max(...first.map(({ seq }) => seq))
      await life.run({ do: 'apply', version: 2, mode: 'backfill' })
      await life.run({ do: 'apply', version: 3, mode: 'shadow' })
      for (let i = 0; i < 4; i++) {
        await life.load()
        await life.tick(18_030 + i)
      }
      const keys = new Map<number, string | null>()
      for (const fact of [sale, sale1, sale2])
        for (const { seq, key } of (await told(life, fact)).filter((one) => one.seq > begins)) {
          expect({ seq, key }).toEqual({ seq, key: keys.get(seq) ?? key })
          keys.set(seq, key)
        }
    }
  })

  it('are not written any more when the last version over them is retired, and the facts leave the warehouse', async () => {
    const life = lifeOf(chain, 1, 3)
    await begun(life)
    await life.run({ do: 'apply', version: 1, mode: 'backfill' })
    await life.load()
    await life.computed()
    await life.run({ do: 'retire', version: 0 })
    await expectRightAfter(life, [sale1])
    const before = (await told(life, sale)).length
    await life.load()
    await life.tick(18_040)
    await expectRightAfter(life, [sale1])
    expect((await told(life, sale)).length).toBe(before)
    expect(await life.query(`SELECT name FROM sqlite_schema WHERE name IN ('sale', 'tidemark_standing_sale')`)).toEqual([])
    // What happened since is missing there.
    const late = featureSet({ name: 'late', of: sale, per: 'account_id' }, { owing: features.owing }).definition
    const other = storeOver(life, [late])
    await expect(other({ do: 'apply', version: 0, mode: undefined } as never)).rejects.toThrow(/inflow.sale ended .*sale.replace\(\{\}\)/)
  })

  it('are written as long as any set needs them, and one that has begun is taken over as it is', async () => {
    const life = lifeOf(chain, 1, 13)
    await begun(life)
    const b0 = featureSet({ name: 'beside', of: sale, per: 'account_id' }, { owing: features.owing })
    const beside = [b0, b0.over(sale1)].map(({ definition }) => definition)
    const run = storeOver(life, beside)
    await run({ do: 'apply', version: 0, mode: undefined } as never)
    await life.run({ do: 'apply', version: 1, mode: 'backfill' })
    await life.load()
    await life.computed()
    await life.run({ do: 'retire', version: 0 })
    await life.load()
    await expectRightAfter(life, [sale, sale1])
    const before = await told(life, sale1)
    await run({ do: 'apply', version: 1, mode: 'backfill' })
    expect(await told(life, sale1)).toEqual(before)
    await run({ do: 'retire', version: 0 })
    await life.load()
    await expectRightAfter(life, [sale1])
    for (const view of ['sales', 'beside']) expect(await newest(life, `${view}_latest`, sale1, ['owing'])).not.toEqual([])
    expect(await newest(life, 'beside_latest', sale1, ['owing'])).toEqual(await newest(life, 'sales_latest', sale1, ['owing']))
    expect(await run({ do: 'verify', version: 1 })).toEqual({ equal: true, named: [] })
  })

  it('are whole wherever apply is killed, whether it goes on or a load comes first', async () => {
    for (const mode of ['backfill', 'forward-only'] as const)
      for (let write = 1, step = 1; ; write += step, step = write > 6 ? 3 : 1) {
        const life = lifeOf(chain, 1, 5)
        await begun(life)
        const { ended } = await life.store.run({ do: 'apply', version: 1, mode }, { kind: 'kill', write })
        if (ended === 'done') {
          expect(write).toBeGreaterThan(12)
          break
        }
        expect(ended).toBe('cut')
        if (write % 2 === 0) await life.load()
        await life.run({ do: 'apply', version: 1, mode })
        await life.load()
        await expectRightAfter(life, [sale, sale1])
      }
  })

  it('are known again where the registry or the warehouse was lost', async () => {
    for (const part of ['registry', 'warehouse'] as const) {
      const life = lifeOf(chain, 1, 9)
      await begun(life)
      await life.run({ do: 'apply', version: 1, mode: 'backfill' })
      await life.load()
      await life.computed()
      life.store.lose(part)
      await life.run({ do: 'repair' })
      await expectRightAfter(life, [sale, sale1])
      await life.load()
      await expectRightAfter(life, [sale, sale1])
    }
  })

  it('do not begin amid a load, and a plan says what they begin with', async () => {
    const life = lifeOf(chain, 1, 11)
    await begun(life)
    const planned = () => planOf(life.store.open(), { chain, version: 1, mode: undefined, partitions: 1 })
    const rows = Number((await life.query('SELECT count(*) FROM sale'))[0]![0])
    const { stream, replayedRecords, writtenRows } = await planned()
    expect(stream).toMatchObject({ inflow: 'inflow.sale.v1', begun: false, tick: '2019-05-04' })
    expect([replayedRecords, writtenRows]).toEqual([stream!.facts, stream!.facts])
    expect(stream!.facts).toBeGreaterThanOrEqual(rows)
    expect(await life.load(undefined, { stopped: true })).toMatchObject({ ended: 'interrupted' })
    await expect(planned()).rejects.toThrow(/^a load of .* is under way, and inflow.sale.v1 begins with the facts that stand/)
    await expect(life.run({ do: 'apply', version: 1, mode: 'backfill' })).rejects.toThrow(/is under way/)
    expect((await life.store.open().registry.list('sales')).length).toBe(1)
    await life.load()
    await life.run({ do: 'apply', version: 1, mode: 'backfill' })
    await expectRightAfter(life, [sale, sale1])
  })

  it('begin some facts at a time, killed anywhere, by themselves or with what a load changes', async () => {
    for (const changing of [false, true]) {
      const facts = (...all: readonly FactSchema[]) => all.map((fact) => ({ fact, stream: streamOf(fact), pers: ['account_id'] }))
      const life = async (write: number) => {
        const [store, shop] = [factStore([sale], { per: 'account_id', partitions: 3 }), shopOf(21)]
        await store.load(shopTables, shop.some())
        await tick(store.ports(), { facts: facts(sale), at: 18_020, partitions: 3 })
        await store.load(shopTables, shop.change())
        store.setFacts([sale, sale1])
        const texts = changing ? shop.change() : {}
        const ended = await store.load(shopTables, texts, { atOnce: 2, cut: { write } })
        if (ended === 'cut') await store.load(shopTables, texts, { atOnce: 2 })
        await tick(store.ports(), { facts: facts(sale, sale1), at: 18_030, partitions: 3 })
        const [one, other] = [await store.messages(sale), await store.messages(sale1)]
        const stand = (messages: readonly Message[]) => [...standingAfter(messages.toSorted((a, b) => a.seq - b.seq)).keys()].sort()
        expect(stand(other)).toEqual(stand(one))
        return { ended, messages: [one, other].map((all) => all.map(({ known: _, ...told }) => told)) }
      }
      const whole = await life(Infinity)
      for (let write = 1; ; write++) {
        const { ended, messages } = await life(write)
        expect({ write, messages }).toEqual({ write, messages: whole.messages })
        if (ended === 'cut') continue
        expect(write).toBeGreaterThan(5)
        break
      }
    }
  })
})
