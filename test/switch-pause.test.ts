/** What a switch of versions does while the stream waits: as much for many keys as for few. */
import { describe, expect, it } from 'vitest'
import type { Ports } from '../config/wire.ts'
import type { Mode } from '../streams/position.ts'
import { apply } from '../versions/apply.ts'
import { storeInMemory } from './driver/in-memory.ts'
import { loansOfStates } from './loans-text.ts'
import { byState, mustBeDone, streamed } from './memory-steps.ts'

const { set, chain } = byState

/** How many entries are read and saved between the hold and its end. */
async function workUnderHold(keys: number, mode: Mode): Promise<{ readonly read: number; readonly saved: number }> {
  const states = Array.from({ length: keys }, (_, i) => `s${i}`)
  const store = storeInMemory(byState, 1, loansOfStates(new Array<number>(keys).fill(2008), states))
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
  await streamed(store, [2008, 2008])

  const { log, checkpoints, ...ports } = store.open()
  const work = { read: 0, saved: 0 }
  let isHeld = false
  const writer: Ports['log']['writer'] = async (name) => {
    const taken = await log.writer(name)
    return {
      ...taken,
      async commit(commit) {
        const text = commit.save?.map(({ value }) => Buffer.from(value ?? []).toString()).join() ?? ''
        if (isHeld) work.saved += commit.save?.length ?? 0
        if (name === `compute/${set}/0`) isHeld = text.includes('"kind":"switch"')
        return taken.commit(commit)
      },
    }
  }
  const counted = <T>(entries: T, count: number): T => {
    if (isHeld) work.read += count
    return entries
  }
  const watched: Ports['checkpoints'] = {
    ...checkpoints,
    load: async (name) => checkpoints.load(name).then((all) => counted(all, all.size)),
    lookup: async (name) => checkpoints.lookup(name).then(({ get }) => ({ get: (key) => counted(get(key), 1) })),
    async *entries(name) {
      for await (const some of checkpoints.entries(name)) yield counted(some, some.length)
    },
  }
  const watch = { actor: { who: 'somebody', why: null }, partitions: 1, signal: new AbortController().signal, report: () => {} }
  await apply({ ...ports, log: { ...log, writer }, checkpoints: watched }, { chain, version: 1, mode, ...watch })
  expect(work.saved).toBeGreaterThan(0)
  return work
}

describe('a switch of versions', () => {
  it.each<Mode>(['cold', 'forward-only', 'backfill'])(
    'with --%s reads and saves as much for many keys as for few while the stream waits',
    async (mode) => {
      expect(await workUnderHold(600, mode)).toEqual(await workUnderHold(20, mode))
    },
  )
})
