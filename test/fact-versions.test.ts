/**
 * Sets over facts through the life of their versions: consumed, added, replaced, rolled back and retired, cut short anywhere, and proved.
 */
import { describe, expect, it } from 'vitest'
import { count, distinct, featureSet, last, max, mean, sum, type Definition } from '../feature-defs/language.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { loadPositions } from '../streams/position.ts'
import { plan } from '../versions/plan.ts'
import { loadState } from '../versions/keep.ts'
import { ensureTopics } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import type { Command } from './driver/step.ts'
import { chanceOf, messagesByChance, saleByDay, saleByMoment, type FactMessage } from './fact-messages.ts'
import { rowsOwned, rowsStored, writerOf } from './facts-in-inflow.ts'

const source = { name: 'sales', of: saleByDay, per: 'account' } as const
const v0 = featureSet(source, {
  owing: sum('amount', { all: true, when: 'unpaid' }),
  overdue: sum('amount', { olderThanDays: 30, when: 'unpaid' }),
})
const v1 = v0.add({ recent: count('item', { days: 9 }), ten: mean('amount', { last: 3, round: 2 }) })
const v2 = v1.replace({ overdue: sum('amount', { olderThanDays: 10, when: 'unpaid' }) })
const v3 = v2.add({ items: distinct('item', { months: 1 }), newest: last('amount', { days: 20 }) })
const chain = [v0, v1, v2, v3].map(({ definition }) => definition)
const sales = { set: 'sales', per: 'account', chain, text: '' }

const m0 = featureSet(
  { name: 'moments', of: saleByMoment },
  { owing: sum('amount', { hours: 50, when: 'unpaid' }), most: max('amount', { days: 9 }) },
)
const m1 = m0.add({ recent: count('item', { hours: 9 }) })
const moments = { set: 'moments', per: null, chain: [m0, m1].map(({ definition }) => definition), text: '' }

/** A store with the messages written piece by piece. */
async function storeWith(set: typeof sales | typeof moments, partitions: number, messages: readonly FactMessage[]) {
  const store = storeInMemory(set, partitions, '')
  const fact = set.chain[0]!.record as FactSchema
  await ensureTopics(store.open(), streamOf(fact), partitions)
  const write = writerOf({ fact, per: set.per, partitions })
  let written = 0
  return {
    store,
    /** So many groups more, each in a commit of its own. */
    async more(atLeast: number) {
      const from = written
      written = Math.min(messages.length, from + atLeast)
      while (written < messages.length && !messages[written - 1]!.groupEnd) written++
      const some = messages.slice(from, written)
      if (some.length === 0) return
      const ends = some.flatMap(({ groupEnd }, i) => (groupEnd && i < some.length - 1 ? [i + 1] : []))
      await write(store.open(), some, ends)
    },
    run: (command: Command) => done(store, command),
    left: () => messages.length - written,
    written: () => messages.slice(0, written),
  }
}

async function done(store: StoreInMemory, command: Command) {
  const outcome = await store.run(command)
  if (outcome.ended !== 'done') throw new Error(`${JSON.stringify(command)}: ${outcome.ended === 'refused' ? outcome.why.message : 'cut'}`)
  return outcome.said
}

/** Every version that is computed, or was, has the rows that the plain model says, and `verify` says so, too. */
async function expectRight(
  store: StoreInMemory,
  { set, chain }: { readonly set: string; readonly chain: readonly Definition[] },
  written: readonly FactMessage[],
) {
  const ports = store.open()
  const positions = await loadPositions(ports.checkpoints, set)
  const { versions } = await loadState(ports, set)
  for (const definition of chain) {
    const { version } = definition
    if (!versions[version] || versions[version].retired) continue
    const owners = positions.map(({ runs, seq }) => {
      const { after, until } = runs.findLast((one) => one.version === version)!
      return { after, until: until ?? seq }
    })
    expect({ version, rows: await rowsStored(ports, definition) }).toEqual({ version, rows: rowsOwned(definition, written, owners) })
    expect({ version, ...(await done(store, { do: 'verify', version })) }).toEqual({ version, equal: true, named: [] })
  }
  expect(await store.complaints()).toEqual([])
}

const consumed: readonly Command[] = [{ do: 'consume' }, { do: 'sink' }]

describe('a set over facts', { timeout: 120_000 }, () => {
  it('has in the warehouse the rows that the plain model says, and verify proves it', async () => {
    for (const [set, partitions] of [
      [sales, 1],
      [moments, 1],
    ] as const) {
      const fact = set.chain[0]!.record as FactSchema
      const messages = messagesByChance(3, { fact, messages: 150 })
      const { store, more, run, written } = await storeWith(set, partitions, messages)
      await run({ do: 'apply', version: 0, mode: undefined } as never)
      for (let i = 0; i < 5; i++) {
        await more(30)
        for (const command of consumed) await run(command)
      }
      await expectRight(store, set, written())
    }
  })

  it('is the same through every mode of apply, rollback and promotion, whatever comes in meanwhile', async () => {
    for (const partitions of [1, 3]) {
      for (let seed = 40; seed < 42; seed++) {
        const messages = messagesByChance(seed, { fact: saleByDay, messages: 240, movesApart: partitions > 1 })
        const { store, more, run, written } = await storeWith(sales, partitions, messages)
        await run({ do: 'apply', version: 0, mode: 'backfill' })
        const below = chanceOf(seed)
        const stirred = async () => {
          await more(1 + below(25))
          for (const command of consumed) if (below(4) > 0) await run(command)
        }
        for (const [i, command] of life.entries()) {
          await stirred()
          await run(command)
          await stirred()
          if (i % 3 !== 2) continue
          for (const one of consumed) await run(one)
          await expectRight(store, sales, written())
        }
        for (const command of consumed) await run(command)
        await expectRight(store, sales, written())
      }
    }
  })

  it('refuses what facts cannot have, by name and with what to do', async () => {
    const { store, run } = await storeWith(sales, 1, [])
    await run({ do: 'apply', version: 0, mode: 'backfill' })
    const refused = async (command: Command) => {
      const outcome = await store.run(command)
      return outcome.ended === 'refused' ? outcome.why.message : outcome.ended
    }
    expect(await refused({ do: 'apply', version: 1, mode: 'cold' })).toMatch(/^sales@1 is over facts.*--forward-only/)
    expect(await refused({ do: 'backfill', years: [2007, 2008] })).toMatch(
      /^sale is a fact, made of rows of lines.*tidemark load lines; those that come from topics: tidemark ingest$/,
    )
    expect(await refused({ do: 'produce', years: [2007, 2008] })).toMatch(
      /^sale is a fact, made of rows of lines.*tidemark load lines; those that come from topics: tidemark ingest$/,
    )
  })

  it('keeps aside what is no change of a fact, and goes on', async () => {
    const messages = messagesByChance(11, { fact: saleByDay, messages: 120 })
    const { store, more, run, written } = await storeWith(sales, 1, messages)
    await run({ do: 'apply', version: 0, mode: 'backfill' })
    const ports = store.open()
    const broken = async () => {
      const writer = await ports.log.writer('somebody else')
      const bytes = Buffer.from('no change')
      await writer.commit({ append: [{ topic: streamOf(saleByDay).inflow, partition: 0, batch: { bytes, ends: Uint32Array.of(9) } }] })
      await writer.close()
    }
    for (let i = 0; i < 4; i++) {
      await more(30)
      await broken()
      for (const command of consumed) await run(command)
    }
    const [position] = await loadPositions(ports.checkpoints, sales.set)
    expect(position).toMatchObject({ dead: 4, duplicates: 0 })
    await run({ do: 'apply', version: 1, mode: 'backfill' })
    await expectRight(store, sales, written())
  })

  it('is planned with the bytes of its largest key, where it keeps facts that stand', async () => {
    const messages = messagesByChance(5, { fact: saleByDay, messages: 200 })
    const { store, more, run } = await storeWith(sales, 1, messages)
    await run({ do: 'apply', version: 0, mode: 'backfill' })
    await more(messages.length)
    for (const command of consumed) await run(command)
    const planned = (version: number) => plan(store.open(), { chain, version, mode: undefined, partitions: 1 })
    // Exact totals do not grow with the facts, nor does what comes to be older than so many days.
    expect((await planned(0)).largestKey).toBeNull()
    await run({ do: 'apply', version: 1, mode: 'backfill' })
    const { largestKey } = await planned(1)
    expect(largestKey!.bytes).toBeGreaterThan(100)
    expect(largestKey!.key).toMatch(/^(a\d)?$/)
  })

  it('loses and doubles nothing when any command is killed at any write, or told to stop at any call', async () => {
    for (let seed = 60; seed < 65; seed++) {
      const partitions = 1 + 2 * (seed % 2)
      const messages = messagesByChance(seed, { fact: saleByDay, messages: 160, movesApart: partitions > 1 })
      const { store, more, run, written } = await storeWith(sales, partitions, messages)
      await run({ do: 'apply', version: 0, mode: 'backfill' })
      const below = chanceOf(seed)
      /** Cut short again and again, later and later, and then done. */
      const stubborn = async (command: Command) => {
        for (let tries = 1 + below(3); tries > 0; tries--) {
          const at = 1 + below(25)
          const outcome = await store.run(command, below(2) === 0 ? { kind: 'kill', write: at } : { kind: 'stop', call: at })
          if (outcome.ended === 'refused') throw outcome.why
          if (outcome.ended === 'done') return
        }
        await run(command)
      }
      for (const command of life) {
        await more(1 + below(20))
        for (const one of [...consumed, command, ...consumed]) await stubborn(one)
      }
      await expectRight(store, sales, written())
    }
  })

  it('has the rows that somebody changed, took away or put in named by verify, and made right by repair', async () => {
    const messages = messagesByChance(80, { fact: saleByDay, messages: 600 })
    const { store, more, run, written } = await storeWith(sales, 1, messages)
    await run({ do: 'apply', version: 0, mode: 'backfill' })
    await more(messages.length)
    for (const command of consumed) await run(command)
    const ticked = Map.groupBy(
      (await rowsStored(store.open(), v0.definition)).filter(({ change }) => change === 'tick'),
      ({ seq }) => seq,
    )
    const [crowded] = [...ticked].find(([, rows]) => rows.length > 2)!
    await store.sql(
      `UPDATE sales_rows SET owing = 1234567 WHERE _seq = ${crowded} AND _key = (SELECT max(_key) FROM sales_rows WHERE _seq = ${crowded})`,
    )
    await store.sql(`DELETE FROM sales_rows WHERE _seq = ${crowded} AND _key = (SELECT min(_key) FROM sales_rows WHERE _seq = ${crowded})`)
    await store.sql(
      `INSERT INTO sales_rows (_version, _seq, _key, _modified_ts, _known_ts, _change) VALUES (0, ${crowded}, 'nobody', 1, 1, 'tick')`,
    )
    const proof = await run({ do: 'verify', version: 0 })
    expect(proof).toMatchObject({ equal: false })
    expect(new Set(proof!.named)).toEqual(new Set([crowded]))
    await run({ do: 'repair' })
    await expectRight(store, sales, written())
  })
})

/** Versions that come and go. */
const life: readonly Command[] = [
  { do: 'apply', version: 1, mode: 'forward-only' },
  { do: 'apply', version: 2, mode: 'shadow' },
  { do: 'promote', version: 2 },
  { do: 'rollback' },
  { do: 'diff', from: 0, to: 2 },
  { do: 'promote', version: 2 },
  { do: 'apply', version: 3, mode: 'backfill' },
  { do: 'rollback' },
  { do: 'retire', version: 3 },
  { do: 'repair' },
]
