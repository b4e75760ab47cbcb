/**
 * Sets over facts through the life of their versions: consumed, added, replaced, rolled back and retired, cut short anywhere, and proved.
 */
import { describe, expect, it } from 'vitest'
import { count, distinct, featureSet, last, max, mean, sum, type Definition } from '../feature-defs/language.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { loadPositions } from '../streams/position.ts'
import { ensureTopics } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import type { Command } from './driver/step.ts'
import { messagesByChance, saleByDay, saleByMoment, type FactMessage } from './fact-messages.ts'
import { rowsOwned, rowsStored, writerOf } from './written-facts.ts'

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
  for (const definition of chain) {
    const runs = positions.map(({ runs, seq }) => {
      const run = runs.findLast((one) => one.version === definition.version)
      return run && { after: run.after, until: run.until ?? seq }
    })
    if (runs.some((run) => run === undefined)) continue
    const [after, until] = [Math.min(...runs.map((run) => run!.after)), Math.max(...runs.map((run) => run!.until))]
    const { version } = definition
    expect({ version, rows: await rowsStored(ports, definition) }).toEqual({ version, rows: rowsOwned(definition, written, after, until) })
    expect({ version, ...(await done(store, { do: 'verify', version })) }).toEqual({ version, equal: true, named: [] })
  }
  expect(await store.complaints()).toEqual([])
}

const consumed: readonly Command[] = [{ do: 'consume' }, { do: 'sink' }]

describe('a set over facts', () => {
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
})
