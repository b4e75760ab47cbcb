/** What services read: equal to what the warehouse shows, whatever happens to versions and however often serving is killed. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { readinessOf, serveRows } from '../use-cases/serve.ts'
import type { Ports } from '../config/wire.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { streamOf } from '../streams/stream.ts'
import { goOnAsItIs } from '../use-cases/reset-as-it-is.ts'
import { memoryServedDatabase, openMemoryServed } from '../utilities/memory/served.ts'
import { goesBy, nothingSeen, passed, see } from '../serving/seen.ts'
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

const lives = isLong ? 200 : 12

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
    for (let seed = firstSeed; seed < firstSeed + (isLong ? 10 : 3); seed++) {
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

  it('is never older than what was read of the same key before, and goes over to another version in one moment, with all of its keys', async () => {
    for (let seed = firstSeed; seed < firstSeed + (isLong ? 20 : 4); seed++) {
      const random = randomFrom(seed)
      const set = madeSet(random, true)
      const store = storeInMemory(set, 3, madeLoans(random).text)
      await store.run({ do: 'apply', version: 0, mode: 'backfill' })
      const serving = await serve(store.open())
      await caughtUp(serving, store.open(), isOutflow)
      const [promoted, last] = [[0], new Map<string, number>()]
      let isOver = false
      const polling = (async () => {
        for (; !isOver; await nextTurn()) {
          serving.read((state) => {
            const { promoted: now, versions } = state.sets.get(set.set)!
            for (const version of versions.keys())
              for (const key of keysOf(set)) {
                const row = state.row(set.set, version, key)
                const before = last.get(`${version} ${key}`)
                if ((row?.seq ?? -1) < (before ?? -1)) throw new Error(`${version} ${key}: ${row?.seq} after ${before}`)
                if (row) last.set(`${version} ${key}`, row.seq)
              }
            if (now === promoted.at(-1)) return
            // What the version before had, this one has too: both are of all history.
            const lacking = keysOf(set).filter((key) => state.row(set.set, promoted.at(-1)!, key) && !state.row(set.set, now!, key))
            expect([now, lacking]).toEqual([now, []])
            promoted.push(now!)
          })
        }
      })()
      const step = async (command: Command) => {
        const { ended } = await store.run(command)
        // Of a file that is not in order.
        const mayBe = command.do === 'produce' || command.do === 'backfill' ? ['done', 'refused'] : ['done']
        expect([command, mayBe]).toEqual([command, expect.arrayContaining([ended])])
        await caughtUp(serving, store.open(), isOutflow)
      }
      await step({ do: 'backfill', years: [2007, 2007] })
      await step({ do: 'produce', years: [2008, 2008] })
      await step({ do: 'consume' })
      await step({ do: 'apply', version: 1, mode: 'backfill' })
      await step({ do: 'rollback' })
      await step({ do: 'promote', version: 1 })
      await step({ do: 'apply', version: 2, mode: 'shadow' })
      await step({ do: 'promote', version: 2 })
      await step({ do: 'rollback' })
      await nextTurn()
      isOver = true
      await polling.catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error })
      })
      expect([seed, promoted]).toEqual([seed, [0, 1, 0, 1, 2, 1]])
      await serving.close()
    }
  }, 120_000)

  it('waits for the rest of what is told in some partitions only', () => {
    const one = { set: 's', change: 'promoted', version: 0, retired: [] }
    const told = (events: number, ...chain: number[]) => ({
      ...one,
      events,
      chain,
      complete: chain,
      topics: [{ topic: 'outflow.a', partitions: 2 }],
    })
    let seen = see(nothingSeen, told(3, 1, 0), 'outflow.a', 0)
    expect(goesBy(seen, 0)).toBeUndefined()
    // In the other partition a later one came, and the one before never.
    seen = see(seen, told(5, 2, 1, 0), 'outflow.a', 1)
    expect(goesBy(seen, 0)).toEqual(told(3, 1, 0))
    expect(goesBy(passed(seen, 3), 3)).toBeUndefined()
    seen = see(passed(seen, 3), told(5, 2, 1, 0), 'outflow.a', 0)
    expect(goesBy(seen, 3)).toEqual(told(5, 2, 1, 0))
    // Told again is nothing new.
    expect(goesBy(see(passed(seen, 5), told(5, 2, 1, 0), 'outflow.a', 1), 5)).toBeUndefined()
  })

  it('is all there in a store of before, and where outflow lost what it held: serving has it told when it begins', async () => {
    const random = randomFrom(firstSeed)
    const set = madeSet(random, true)
    const store = storeInMemory(set, 2, madeLoans(randomFrom(3)).text)
    const commands: readonly Command[] = [
      { do: 'apply', version: 0, mode: 'backfill' },
      { do: 'backfill', years: [2007, 2007] },
      { do: 'produce', years: [2008, 2009] },
      { do: 'consume' },
      { do: 'apply', version: 1, mode: 'backfill' },
      { do: 'sink' },
    ]
    for (const command of commands) await store.run(command)
    const fromNothing = async () => {
      // Every store of these begins anew.
      const serving = await serve({ ...store.open(), openServed: async () => openMemoryServed(memoryServedDatabase()) })
      await expectEqual(serving, store, set)
      expect(serving.read((state) => state.sets.get(set.set)!.promoted)).toBe(1)
      await serving.close()
    }
    await fromNothing()
    const { log } = store.open()
    for (const [partition, { next }] of (await log.topics()).find(({ topic }) => topic === 'outflow')!.partitions.entries())
      await log.truncate('outflow', partition, next)
    await fromNothing()
    // As a version of Tidemark left it that told nothing.
    const writer = await log.writer('somebody')
    const forget = async (name: string) =>
      [...(await store.open().checkpoints.load(name)).keys()].map((key) => ({ name, key, value: null }))
    await writer.commit({ save: [...(await forget(`told/${set.set}`)), ...(await forget(`shown/${set.set}`))] })
    for (const [partition, { next }] of (await log.topics()).find(({ topic }) => topic === 'outflow')!.partitions.entries())
      await log.truncate('outflow', partition, next)
    await fromNothing()
  })

  it('is told again by an outflow that was made anew, and nothing of the one before is left', async () => {
    const set = madeSet(randomFrom(firstSeed), true)
    const store = storeInMemory(set, 2, madeLoans(randomFrom(3)).text)
    const commands: readonly Command[] = [
      { do: 'apply', version: 0, mode: 'backfill' },
      { do: 'backfill', years: [2007, 2008] },
      { do: 'produce', years: [2009, 2009] },
      { do: 'consume' },
      { do: 'sink' },
    ]
    for (const command of commands) await store.run(command)
    const before = await serve(store.open())
    await expectEqual(before, store, set)
    await before.close()
    store.lose('outflow')
    const ports = store.open()
    const asked = { stream: streamOf(rejectedLoan), topic: 'outflow', partitions: 2, agree: async () => true }
    expect((await goOnAsItIs(ports, asked)).ended).toBe('changed')
    const after = await serve(store.open())
    await expectEqual(after, store, set)
    expect(after.read((state) => state.sets.get(set.set)!.promoted)).toBe(0)
  })

  it('counts what nobody can read, and passes over it', async () => {
    const set = madeSet(randomFrom(firstSeed), true)
    const store = storeInMemory(set, 1, madeLoans(randomFrom(3)).text)
    await store.run({ do: 'apply', version: 0, mode: 'backfill' })
    await store.run({ do: 'backfill', years: [2007, 2008] })
    const { log } = store.open()
    const writer = await log.writer('somebody')
    await writer.commit({
      append: [{ topic: 'outflow', partition: 0, batch: { bytes: Buffer.from('nonsense'), ends: Uint32Array.of(3, 8) } }],
    })
    let unreadable = 0
    const serving = await serveRows(store.open(), { note: () => {}, report: (news) => void (unreadable += news.unreadable) })
    opened.push(serving)
    await expectEqual(serving, store, set)
    expect(unreadable).toBe(2)
  })
})
