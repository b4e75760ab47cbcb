/** A warehouse that was lost, whole or in part: repair makes every row that nobody else will bring, and the sink brings the others. */
import { describe, expect, it } from 'vitest'
import { repair } from '../versions/repair.ts'
import { tally } from '../versions/tally.ts'
import { verify } from '../versions/verify.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import type { Command } from './driver/step.ts'
import { loansText } from './loans-text.ts'
import { loanRisk, mustBeDone, refusal, streamed } from './memory-steps.ts'

const years = [2007, 2007, 2008, 2008, 2009, 2009, 2010, 2010, 2011, 2011, 2012]
const watch = { signal: new AbortController().signal, report: () => {} }
const repaired = async (store: StoreInMemory) =>
  (await repair(store.open(), { set: loanRisk.set, ...watch })).versions.map(({ written, removed }) => [written, removed])
const proof = (store: StoreInMemory, version: number) => verify(store.open(), { set: loanRisk.set, version, ...watch })
const addsUp = async (store: StoreInMemory) => (await tally(store.open(), loanRisk.set)).map((one) => one.addsUp)

/** Batch and stream in turn, and two versions: @0 has 2007 to 2010, with a fill between; @1 all of it. */
async function made(): Promise<StoreInMemory> {
  const store = storeInMemory(loanRisk, 1, loansText(years))
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2007] })
  await streamed(store, [2008, 2008])
  await mustBeDone(store, { do: 'backfill', years: [2009, 2009] }, { do: 'apply', version: 1, mode: 'backfill' })
  await streamed(store, [2010, 2010])
  await mustBeDone(store, { do: 'rollback' }, { do: 'promote', version: 1 }, { do: 'backfill', years: [2011, 2011] })
  return store
}

describe('a warehouse that was lost', () => {
  it('is told by every command that would go on over it, which changes nothing and names repair', async () => {
    const store = await made()
    await mustBeDone(store, { do: 'produce', years: [2012, 2012] }, { do: 'consume' })
    store.lose('warehouse')
    const before = await store.print()
    const commands: readonly Command[] = [
      ...[0, 1, 2].map((version) => ({ do: 'apply', version, mode: 'backfill' }) as const),
      { do: 'promote', version: 0 },
      { do: 'promote', version: 1 },
      { do: 'rollback' },
      { do: 'retire', version: 0 },
    ]
    const namesRepair = expect.stringMatching(/tidemark repair loan_risk$/)
    for (const command of commands) expect([command, await refusal(store, command)]).toEqual([command, namesRepair])
    expect(await store.print()).toBe(before)
    // It passes over what is no row, and stops at the first that is one.
    expect(await refusal(store, { do: 'sink' })).toEqual(namesRepair)
    const due = expect.stringMatching(/statements are due/)
    expect(await store.complaints()).toEqual([namesRepair, due, expect.stringMatching(/^loan_risk@0 has 0/)])
  })

  it('has every row again that outflow does not hold, and the sink brings the others', async () => {
    const store = await made()
    const before = await store.look()
    store.lose('warehouse')
    // Of @0 outflow has 2008, of @1 2010.
    expect(await repaired(store)).toEqual([
      [6, 0],
      [8, 0],
    ])
    expect(await addsUp(store)).toEqual([true, true])
    expect(await proof(store, 0)).toMatchObject({ rows: 6, notSunk: 2, differences: 0 })
    expect(await proof(store, 1)).toMatchObject({ rows: 8, notSunk: 2, differences: 0 })
    await mustBeDone(store, { do: 'sink' })
    expect((await store.look()).views).toEqual(before.views)
    expect((await store.look()).base).toEqual(before.base)
    expect(await proof(store, 0)).toMatchObject({ rows: 8, notSunk: 0, differences: 0 })
    expect(await proof(store, 1)).toMatchObject({ rows: 10, notSunk: 0, differences: 0 })
  })

  it('beside a sink that has still to write has what came by batch, before and behind what is on its way', async () => {
    const store = storeInMemory(loanRisk, 1, loansText(years))
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'produce', years: [2007, 2008] }, { do: 'consume' })
    await mustBeDone(store, { do: 'backfill', years: [2009, 2010] })
    await store.sql('DELETE FROM loan_risk_rows WHERE _seq IN (6, 7)')
    expect(await addsUp(store)).toEqual([false])
    const lost = [6, 7].map((seq) => ({ seq, column: 'row', expected: 'a row', found: 'no row' }))
    expect(await proof(store, 0)).toMatchObject({ rows: 4, notSunk: 4, differences: 2, first: lost })
    expect(await repaired(store)).toEqual([[2, 0]])
    expect(await proof(store, 0)).toMatchObject({ rows: 4, notSunk: 4, differences: 0 })
    await mustBeDone(store, { do: 'sink' })
    expect(await proof(store, 0)).toMatchObject({ rows: 8, notSunk: 0, differences: 0 })
  })
})
