/** What SQL users see when versions are shown, shown again and planned over nothing: every record, from the version that has it. */
import { describe, expect, it } from 'vitest'
import { applyVersion } from '../use-cases/apply.ts'
import { verify } from '../versions/verify.ts'
import type { Ports } from '../config/wire.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import { loansText } from './loans-text.ts'
import { loanRisk, mustBeDone, refusal, streamed } from './memory-steps.ts'

const years = [2007, 2007, 2008, 2008, 2008, 2009, 2009]
const { set, chain } = loanRisk
const signal = new AbortController().signal
const proof = (store: StoreInMemory, version: number) => verify(store.open(), { set, version, signal, report: () => {} })
/** Number and version of each row. */
const shown = async (store: StoreInMemory) => (await store.look()).base!.map((row) => [row['_seq'], row['_version']])
const of = (version: number, ...seqs: readonly number[]) => seqs.map((seq) => [seq, version])

async function applied(...taken: readonly number[]): Promise<StoreInMemory> {
  const store = storeInMemory(loanRisk, 1, loansText(years))
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
  for (const year of taken) await streamed(store, [year, year])
  return store
}

describe('a version that is shown again over a cold one', () => {
  it('keeps its rows in the view when that is rolled back to, and is not retired under those who see them', async () => {
    const store = await applied(2007)
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'cold' })
    await streamed(store, [2008, 2008])
    expect(await shown(store)).toEqual([...of(0, 1, 2), ...of(1, 3, 4, 5)])
    await mustBeDone(store, { do: 'promote', version: 0 })
    await streamed(store, [2009, 2009])
    expect(await shown(store)).toEqual(of(0, 1, 2, 3, 4, 5, 6, 7))
    await mustBeDone(store, { do: 'rollback' })
    expect(await shown(store)).toEqual([...of(0, 1, 2), ...of(1, 3, 4, 5, 6, 7)])
    expect(await refusal(store, { do: 'retire', version: 0 })).toMatch(/^loan_risk still shows 2 rows of loan_risk@0 \(records 1 to 2\)\. /)
    // Every promotion counts: the one before that is @0's first.
    await mustBeDone(store, { do: 'rollback' })
    expect(await shown(store)).toEqual(of(0, 1, 2, 3, 4, 5, 6, 7))
    for (const version of [0, 1]) expect(await proof(store, version)).toMatchObject({ differences: 0 })
  })
})

describe('a version that is planned over nothing', () => {
  const applying = (ports: Ports, mode: 'backfill' | 'shadow', agree: () => Promise<boolean>) => {
    const watch = { actor: { who: 'somebody', why: null }, partitions: 1, signal, report: () => {} }
    return applyVersion(ports, { chain, version: 1, mode, agree, show: () => {}, tell: () => {}, ...watch })
  }

  it.each(['backfill', 'shadow'] as const)('with --%s has what came in while somebody was asked', async (mode) => {
    const store = await applied()
    await applying(store.open(), mode, async () => {
      await streamed(store, [2007, 2008])
      return true
    })
    await streamed(store, [2009, 2009])
    expect(await shown(store)).toEqual(of(mode === 'shadow' ? 0 : 1, 1, 2, 3, 4, 5, 6, 7))
    expect(await proof(store, 1)).toMatchObject({ rows: 7, differences: 0 })
  })

  it.each(['backfill', 'shadow'] as const)('with --%s has what a consumer takes first, at whichever moment', async (mode) => {
    for (let moment = 1, moments = 1; moment <= moments; moment++) {
      const store = await applied()
      await mustBeDone(store, { do: 'produce', years: [2007, 2008] })
      const ports = store.open()
      moments = 0
      const writer: Ports['log']['writer'] = async (name) => {
        if (++moments === moment) await mustBeDone(store, { do: 'consume' })
        return ports.log.writer(name)
      }
      await applying({ ...ports, log: { ...ports.log, writer } }, mode, async () => true)
      await streamed(store, [2009, 2009])
      expect(await shown(store)).toEqual(of(mode === 'shadow' ? 0 : 1, 1, 2, 3, 4, 5, 6, 7))
      expect(await proof(store, 1)).toMatchObject({ rows: 7, differences: 0 })
      if (moment === 1) expect(moments).toBeGreaterThan(2)
    }
  })
})
