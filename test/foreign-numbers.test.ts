/** Messages of somebody else whose numbers producers pass later: whenever they are read, nothing is lost without being named. */
import { describe, expect, it } from 'vitest'
import { loadPosition } from '../streams/position.ts'
import { verify } from '../versions/verify.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import { loansText } from './loans-text.ts'
import { foreign, loanRisk, mustBeDone, streamed } from './memory-steps.ts'

const years = [2007, 2007, 2008, 2008, 2008, 2009, 2009]

/** @0 is applied, and 2007 (records 1 and 2) in the warehouse. */
async function begun(): Promise<StoreInMemory> {
  const store = storeInMemory(loanRisk, 1, loansText(years))
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
  await streamed(store, [2007, 2007])
  return store
}

const figures = async (store: StoreInMemory) => {
  const { duplicates, dead } = await loadPosition(store.open().checkpoints, loanRisk.set, 0)
  return { duplicates, dead }
}

/** Number and amount of what SQL users see: a foreign record asks for 7. */
const shown = async (store: StoreInMemory) => (await store.look()).base!.map((row) => [row['_seq'], row['amount_requested']])
const loans = (...seqs: readonly number[]) => seqs.map((seq) => [seq, 1000])

const proof = (store: StoreInMemory, version: number) =>
  verify(store.open(), { set: loanRisk.set, version, signal: new AbortController().signal, report: () => {} })

describe('a foreign message whose number producers pass later', () => {
  it('is a dead letter when it is read before that, and stays one: the record of that number is taken', async () => {
    const store = await begun()
    await foreign(store, [5])
    await mustBeDone(store, { do: 'consume' })
    expect(await figures(store)).toEqual({ duplicates: 0, dead: 1 })
    await streamed(store, [2008, 2009])
    expect(await figures(store)).toEqual({ duplicates: 0, dead: 1 })
    expect(await shown(store)).toEqual(loans(1, 2, 3, 4, 5, 6, 7))
    // A replay sees that more has been recorded since, and passes over it all the same.
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'backfill' })
    for (const version of [0, 1]) expect(await proof(store, version)).toMatchObject({ rows: 7, differences: 0 })
  })

  it('is taken at its word when it is read after that; what it makes duplicates of is counted, and named by verify', async () => {
    const store = await begun()
    await foreign(store, [5])
    await streamed(store, [2008, 2009])
    expect(await figures(store)).toEqual({ duplicates: 3, dead: 0 })
    expect(await shown(store)).toEqual([...loans(1, 2), [5, 7], ...loans(6, 7)])
    const dropped = [3, 4].map((seq) => ({ seq, column: 'record', expected: 'taken once', found: 'dropped as a duplicate' }))
    expect(await proof(store, 0)).toMatchObject({ rows: 5, differences: 2, first: dropped })
    // Every version is made of the same records, and none is vouched for.
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'backfill' })
    expect(await proof(store, 1)).toMatchObject({ rows: 5, differences: 2, first: dropped })
  })

  it('behind what was taken is a duplicate like any other', async () => {
    const store = await begun()
    await foreign(store, [1])
    await streamed(store, [2008, 2009])
    expect(await figures(store)).toEqual({ duplicates: 1, dead: 0 })
    expect(await shown(store)).toEqual(loans(1, 2, 3, 4, 5, 6, 7))
    expect(await proof(store, 0)).toMatchObject({ rows: 7, differences: 0 })
  })
})
