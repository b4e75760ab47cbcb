/** What services read: equal to what the warehouse shows, whatever happens to versions and however often serving is killed. */
import { afterEach, describe, expect, it } from 'vitest'
import { readinessOf, serveRows } from '../use-cases/serve.ts'
import type { Ports } from '../config/wire.ts'
import type { Serving } from '../serving/serving.ts'
import type { Served } from '../utilities/served.ts'
import { loadState } from '../versions/keep.ts'
import { promotedIn, shownIn } from '../versions/journal.ts'
import { unfinished } from './driver/commands.ts'
import { madeLoans, oneOf, whole, type Random } from './driver/loans.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import { madeSet, type DrivenSet } from './driver/sets.ts'
import type { Command } from './driver/step.ts'
import { Killed } from './faults.ts'
import { isLong, randomFrom, seed as firstSeed } from './seeded.ts'
import { caughtUp, newestServed, newestStored } from './serving-steps.ts'

const opened: Serving[] = []
afterEach(async () => {
  for (const serving of opened.splice(0)) await serving.close()
})

async function serve(ports: Ports): Promise<Serving> {
  const serving = await serveRows(ports, { note: () => {} })
  opened.push(serving)
  return serving
}

/** The process is gone before its n-th write. */
function killedAt(served: Served, write: number): Served {
  let count = 0
  return {
    ...served,
    async write(work) {
      if (++count >= write) throw new Killed(`cut before write ${count}`)
      await served.write(work)
    },
  }
}

const isOutflow = (topic: string) => topic.startsWith('outflow')

/** Every key that a record can have, and one that none has. */
const keysOf = ({ per }: DrivenSet) => (per === null ? [''] : ['NM', 'CA', 'TX', 'OH', 'NY', 'nobody'])

/** Every version that is served, key by key, and what is shown; as the warehouse has it. */
async function expectEqual(serving: Serving, store: StoreInMemory, set: DrivenSet): Promise<void> {
  const ports = store.open()
  await store.run({ do: 'sink' })
  await caughtUp(serving, ports, isOutflow)
  const state = await loadState(ports, set.set)
  const served = serving.read(({ sets }) => sets.get(set.set))
  // What was cut short has not been told to its end.
  if (state.begun === null && state.versions.length > 0) {
    expect(served?.promoted).toBe(promotedIn(state) ?? undefined)
    expect(served?.chain).toEqual(shownIn(state))
  }
  for (const definition of served?.versions.values() ?? [])
    expect([definition.version, newestServed(serving, definition, keysOf(set))]).toEqual([
      definition.version,
      await newestStored(ports, definition),
    ])
}

const anyCommand = (random: Random): Command => {
  const version = whole(random, 0, 2)
  const year = whole(random, 2007, 2011)
  const mode = oneOf(random, ['backfill', 'shadow', 'forward-only', 'cold'] as const)
  return oneOf<Command>(random, [
    { do: 'produce', years: [year, year] },
    { do: 'consume' },
    { do: 'consume' },
    { do: 'backfill', years: [year, year] },
    { do: 'apply', version, mode },
    { do: 'promote', version },
    { do: 'rollback' },
    { do: 'retire', version },
    { do: 'repair' },
  ])
}

const lives = isLong ? 200 : 25

describe('what services read', () => {
  it('equals the newest row of each key in the warehouse, for every version, through whole lives of a set', async () => {
    for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
      const random = randomFrom(seed)
      const set = madeSet(random, random() < 0.7)
      const store = storeInMemory(set, set.per === null ? 1 : whole(random, 1, 3), madeLoans(random).text)
      await store.run({ do: 'apply', version: 0, mode: 'backfill' })
      const serving = await serve(store.open())
      const done: string[] = []
      try {
        for (let step = 0; step < 12; step++) {
          const command = anyCommand(random)
          const cut = random() < 0.25 ? ({ kind: 'kill', write: whole(random, 1, 12) } as const) : undefined
          const { ended } = await store.run(command, cut)
          done.push(`${JSON.stringify(command)} ${ended}`)
          // A command that was cut short is finished.
          if (ended === 'cut') done.push(`again ${(await store.run(command)).ended}`)
          if ((await unfinished(store.open(), set.set)).length === 0) await expectEqual(serving, store, set)
        }
        const again = await serve(store.open())
        if ((await unfinished(store.open(), set.set)).length === 0) await expectEqual(again, store, set)
      } catch (error) {
        throw new Error(`seed ${seed}: ${set.text} ${done.join(' | ')}`, { cause: error })
      }
    }
  }, 300_000)

  it('is the same when serving is killed at any write and goes on, or begins anew', async () => {
    for (let seed = firstSeed; seed < firstSeed + 5; seed++) {
      const random = randomFrom(seed)
      const set = madeSet(random, true)
      const store = storeInMemory(set, 2, madeLoans(random).text)
      const commands: readonly Command[] = [
        { do: 'apply', version: 0, mode: 'backfill' },
        { do: 'backfill', years: [2007, 2008] },
        { do: 'produce', years: [2009, 2010] },
        { do: 'consume' },
        { do: 'apply', version: 1, mode: 'backfill' },
        { do: 'produce', years: [2011, 2011] },
        { do: 'consume' },
        { do: 'rollback' },
      ]
      for (const command of commands) await store.run(command)
      let kills = 0
      for (let write = 1; ; write++) {
        const serving = await serve({ ...store.open(), openServed: async () => killedAt(await store.open().openServed(), write) })
        const end = await Promise.race([
          serving.ended.then(
            () => undefined,
            (error: unknown) => error,
          ),
          caughtUp(serving, store.open(), isOutflow).catch((error: unknown) => error),
        ])
        await serving.close()
        if (end === undefined) break
        expect(end).toBeInstanceOf(Killed)
        kills++
      }
      expect(kills).toBeGreaterThan(2)
      const serving = await serve(store.open())
      await expectEqual(serving, store, set)
      expect(readinessOf(serving)).toEqual({ isReady: true, behind: [] })
      await serving.close()
    }
  }, 120_000)
})
