/** Versions that were promoted and, for want of time, never computed: nobody is ever taken back to one, and there is a way on from each. */
import { describe, expect, it } from 'vitest'
import { loadPositions, type Mode } from '../streams/position.ts'
import { isComplete } from '../versions/journal.ts'
import { loadState } from '../versions/keep.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import type { DrivenSet } from './driver/sets.ts'
import type { Command } from './driver/step.ts'
import { loansOfStates } from './loans-text.ts'
import { byState, loanRisk, mustBeDone, refusal, streamed } from './memory-steps.ts'

const years = [2007, 2007, 2008, 2008, 2008, 2009, 2009]
const rollback: Command = { do: 'rollback' }
const applying = (mode: Exclude<Mode, 'first'>): Command => ({ do: 'apply', version: 1, mode })

/** @0 is shown, and has taken 2007 and 2008. */
async function shown(set: DrivenSet, partitions: number): Promise<StoreInMemory> {
  const store = storeInMemory(set, partitions, loansOfStates(years, ['NM', 'CA', 'TX']))
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
  await streamed(store, [2007, 2008])
  return store
}

const stateIn = (store: StoreInMemory, { set }: DrivenSet) => loadState(store.open(), set)

/** Every store in which `apply` was killed when @1 was on top already, and some partition did not compute it. */
async function* killedOnTop(set: DrivenSet, partitions: number, mode: Exclude<Mode, 'first'>): AsyncGenerator<StoreInMemory> {
  for (let write = 1; ; write++) {
    const store = await shown(set, partitions)
    await store.run(applying(mode), { kind: 'kill', write })
    const { chain, versions } = await stateIn(store, set)
    if (chain.at(-1) === 1 && !isComplete(versions[1]!)) yield store
    else await store.close()
    if (versions[1] && isComplete(versions[1])) return
  }
}

const cases = [
  { set: loanRisk, partitions: 1, mode: 'cold' },
  { set: loanRisk, partitions: 1, mode: 'forward-only' },
  { set: byState, partitions: 2, mode: 'cold' },
] as const

describe('a version that was promoted and never computed', () => {
  it.each(cases)('with $partitions partitions and --$mode is never rolled back to, and there is a way on', async (one) => {
    const { set, partitions, mode } = one
    const name = set.set
    const only = `${name}@0 is the only version that SQL users have seen. There is nothing to go back to; see: tidemark versions ${name}`
    const notShown = `the history of ${name}@1 is not complete, so it cannot be shown. Finish it: tidemark apply ${name}@1 --${mode}`
    const ways: readonly Command[] = [rollback, { do: 'promote', version: 0 }]
    let kills = 0
    for await (const store of killedOnTop(set, partitions, mode)) {
      await mustBeDone(store, ways[kills++ % ways.length]!)
      expect((await stateIn(store, set)).chain).toEqual([0])
      expect(await refusal(store, rollback)).toBe(only)
      expect(await refusal(store, { do: 'promote', version: 1 })).toBe(notShown)
      // What that names is the way on; and then there is one to go back to.
      await mustBeDone(store, applying(mode))
      expect((await stateIn(store, set)).chain).toEqual([0, 1])
      await mustBeDone(store, rollback)
      await expectWhole(store, set)
    }
    expect(kills).toBeGreaterThan(2)
  })

  it('in a store of before the journal is passed over', async () => {
    // Of one promotion number a version: the second is of a @0 that was shown again over a cold @1 to which no consumer ever came.
    for (const promotions of [
      { 0: 1, 1: 2 },
      { 0: 3, 1: 2 },
    ]) {
      for await (const store of killedOnTop(loanRisk, 1, 'cold')) {
        await withoutJournal(store, loanRisk)
        // Killed before the warehouse heard of it.
        if ((await store.open().warehouse.versions(loanRisk.set)).length < 2) continue
        for (const [version, promotion] of Object.entries(promotions)) {
          await store.sql(`UPDATE tidemark_versions SET promotion = ${promotion} WHERE version = ${version}`)
        }
        if (promotions[0] === 1) await mustBeDone(store, rollback)
        expect(await refusal(store, rollback)).toMatch(/^loan_risk@0 is the only version that SQL users have seen\. /)
        await mustBeDone(store, applying('cold'))
        await mustBeDone(store, rollback)
        await expectWhole(store, loanRisk)
      }
    }
  })
})

/** As a store of before, whose events nobody had written down. */
async function withoutJournal(store: StoreInMemory, { set }: DrivenSet): Promise<void> {
  const { log, checkpoints } = store.open()
  const journal = `journal/${set}`
  const writer = await log.writer(journal)
  await writer.commit({ save: [...(await checkpoints.load(journal)).keys()].map((key) => ({ name: journal, key, value: null })) })
  expect((await loadPositions(checkpoints, set)).flatMap(({ runs }) => runs.map(({ version }) => version))).toEqual([0])
}

/** Nothing is left to do, and @0 is computed and shown with every record. */
async function expectWhole(store: StoreInMemory, set: DrivenSet): Promise<void> {
  await streamed(store, [2009, 2009])
  const { unfinished, base } = await store.look()
  expect(unfinished).toEqual([])
  expect(base!.map(({ _seq, _version }) => [_seq, _version])).toEqual(years.map((_, i) => [i + 1, 0]))
  const equal = { ended: 'done', said: { equal: true, named: [] } }
  for (const version of [0, 1]) expect(await store.run({ do: 'verify', version })).toEqual(equal)
  expect((await stateIn(store, set)).versions.map(isComplete)).toEqual([true, true])
  await store.close()
}
