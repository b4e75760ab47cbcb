/** What services read of facts: those that stand, by their key, and the rows of sets over them, groups of changes whole. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { featureSet, mean, sum } from '../feature-defs/language.ts'
import { ensureTopics } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { serveRows } from '../use-cases/serve.ts'
import { storeInMemory } from './driver/in-memory.ts'
import { messagesByChance, saleByDay } from './fact-messages.ts'
import { writerOf } from './facts-in-inflow.ts'
import { isLong, seed as firstSeed } from './seeded.ts'
import { caughtUp, factsBeside, newestServed, newestStored } from './serving-steps.ts'

const v0 = featureSet({ name: 'sales', of: saleByDay, per: 'account' }, { owing: sum('amount', { days: 30, when: 'unpaid' }) })
const v1 = v0.add({ ten: mean('amount', { last: 10, round: 2 }) })
const set = { set: 'sales', per: 'account', chain: [v0, v1].map(({ definition }) => definition), text: '' }
const accounts = ['', ...Array.from({ length: 6 }, (_, i) => `a${i}`)]
const isFollowed = (topic: string) => /^(outflow|inflow)\.[^.]+$/.test(topic)

describe('what services read of facts', () => {
  it('equals the facts that stand and the newest rows over them, however they move, for two versions at once', async () => {
    for (let seed = firstSeed; seed < firstSeed + (isLong ? 40 : 3); seed++) {
      const partitions = 1 + (seed % 3)
      const store = storeInMemory(set, partitions, '')
      const ports = store.open()
      await ensureTopics(ports, streamOf(saleByDay), partitions)
      await store.run({ do: 'apply', version: 0, mode: 'backfill' })
      const messages = messagesByChance(seed, { fact: saleByDay, messages: 300, movesApart: partitions > 1 })
      const keys = [...new Set(messages.flatMap(({ key }) => (key === null ? [] : [key])))]
      const write = writerOf({ fact: saleByDay, per: 'account', partitions })
      const serving = await serveRows(store.open(), { note: () => {} })
      const last = new Map<string, number>()
      let isOver = false
      const polling = (async () => {
        for (; !isOver; await nextTurn())
          serving.read((state) => {
            for (const key of keys) {
              const seq = state.fact('sale', key)?.seq
              if (seq === undefined) continue
              if (seq < (last.get(key) ?? 0)) throw new Error(`${key} is of ${seq} after ${last.get(key)}`)
              last.set(key, seq)
            }
          })
      })()
      const equal = async () => {
        await store.run({ do: 'sink' })
        await caughtUp(serving, ports, isFollowed)
        const [stored, served] = await factsBeside(serving, ports, v0.definition, keys)
        expect([seed, served]).toEqual([seed, stored])
        for (const definition of serving.read(({ sets }) => [...(sets.get('sales')?.versions.values() ?? [])]))
          expect([seed, definition.version, newestServed(serving, definition, accounts)]).toEqual([
            seed,
            definition.version,
            await newestStored(ports, definition),
          ])
      }
      try {
        for (let from = 0, step = 0; from < messages.length; step++) {
          let to = Math.min(messages.length, from + 60)
          while (to < messages.length && !messages[to - 1]!.groupEnd) to++
          const some = messages.slice(from, to)
          await write(
            ports,
            some,
            some.flatMap(({ groupEnd }, i) => (groupEnd && i < some.length - 1 ? [i + 1] : [])),
          )
          from = to
          await store.run({ do: 'consume' })
          if (step === 1) expect((await store.run({ do: 'apply', version: 1, mode: 'shadow' })).ended).toBe('done')
          if (step === 3) expect((await store.run({ do: 'promote', version: 1 })).ended).toBe('done')
          await equal()
        }
        expect(Object.keys(newestServed(serving, v1.definition, accounts)).length).toBeGreaterThan(2)
        expect((await factsBeside(serving, ports, v0.definition, keys))[0]).not.toEqual({})
        // Its rows leave, and it cannot be asked for any more.
        expect((await store.run({ do: 'retire', version: 0 })).ended).toBe('done')
        await caughtUp(serving, ports, isFollowed)
        expect(newestServed(serving, v0.definition, accounts)).toEqual({})
        expect(serving.read(({ sets }) => [sets.get('sales')!.promoted, ...sets.get('sales')!.versions.keys()])).toEqual([1, 1])
      } finally {
        isOver = true
        await polling
        await serving.close()
      }
    }
  }, 240_000)
})
