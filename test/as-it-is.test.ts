/** What can be proved behind `reset`: a cold version needs no record of before, and is proved by what came since. */
import { describe, expect, it } from 'vitest'
import type { Console } from '../commands/console.ts'
import { resetAsItIs } from '../commands/reset-as-it-is.ts'
import { ema, featureSet, mean } from '../feature-defs/language.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { streamOf } from '../streams/stream.ts'
import { repair } from '../versions/repair.ts'
import { verify } from '../versions/verify.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import type { DrivenSet } from './driver/sets.ts'
import { loansText } from './loans-text.ts'
import { foreign, mustBeDone, refusal, streamed } from './memory-steps.ts'

const set = 'scores'
const w0 = featureSet({ name: set, of: rejectedLoan }, { a: mean('risk_score', { last: 5, round: 3 }) })
const w1 = w0.replace({ a: ema('risk_score', { span: 5, round: 3 }) })
const w2 = w1.add({ b: mean('risk_score', { last: 3, round: 3 }) })
/** @1 has nothing of @0; @2 goes on with what @1 has. */
const scores: DrivenSet = { set, per: null, chain: [w0, w1, w2].map(({ definition }) => definition), text: '' }

const bad = 'nonsense'
/** Records 1 to 3, 4 and 5, 7 and 8, 10 and 11, 12 and 13. */
const rows = [2007, 2007, 2007, 2008, 2008, bad, 2009, 2009, bad, 2010, 2010, 2011, 2011]

const watch = { signal: new AbortController().signal, report: () => {} }
const proof = (store: StoreInMemory, version: number) => verify(store.open(), { set, version, ...watch })

/** @0 over a batch of 2007 and a stream of 2008; 2009 lies in inflow, and nobody has taken it. */
async function untaken(): Promise<StoreInMemory> {
  const store = storeInMemory(scores, 1, loansText(rows))
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2007] })
  await streamed(store, [2008, 2008])
  await mustBeDone(store, { do: 'produce', years: [2009, 2009] })
  return store
}

async function asItIs(store: StoreInMemory, topic: 'inflow' | 'outflow'): Promise<readonly string[]> {
  const said: string[] = []
  const console = { note: (text: string) => said.push(text), result: (text: string) => said.push(text), confirm: async () => true }
  const asked = { stream: streamOf(rejectedLoan), topic, partitions: 1 }
  await resetAsItIs(store.open(), asked, console as unknown as Console)
  return said
}

/** Deletes all that inflow holds: by retention, or by `reset inflow`. */
async function trim(store: StoreInMemory): Promise<void> {
  const { log } = store.open()
  const { next } = (await log.topics()).find(({ topic }) => topic === 'inflow')!.partitions[0]!
  await log.truncate('inflow', 0, next)
}

const ways = [
  { what: 'was deleted', lose: async (store: StoreInMemory) => store.lose('inflow') },
  { what: 'was trimmed', lose: trim },
]

/** A row of the version is changed, and another one is gone: both are named. */
async function expectProvedByReplay(store: StoreInMemory, version: number, seqs: readonly number[]): Promise<void> {
  expect(await proof(store, version)).toMatchObject({ rows: seqs.length, differences: 0, notSunk: 0 })
  const [changed, gone] = [seqs[0]!, seqs.at(-1)!]
  await store.sql(`UPDATE ${set}_rows SET a = a + 1 WHERE _version = ${version} AND _seq = ${changed}`)
  await store.sql(`DELETE FROM ${set}_rows WHERE _version = ${version} AND _seq = ${gone}`)
  const { first } = await proof(store, version)
  expect(first.map(({ seq, column }) => [seq, column])).toEqual([
    [changed, 'a'],
    [gone, 'row'],
  ])
}

describe('a version applied with --cold behind reset inflow --as-it-is', () => {
  it.each(ways)('is proved by what came since, where inflow $what', async ({ lose }) => {
    const store = await untaken()
    await lose(store)
    const said = await asItIs(store, 'inflow')
    expect(said.at(-1)).toMatch(/; up to 3 produced records \(_seq 6 to 9\) are lost to it: produce those years again$/)
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'cold' })
    await streamed(store, [2009, 2010])
    await expectProvedByReplay(store, 1, [7, 8, 10, 11])
    // What needs the records that are gone says so, and is refused.
    expect(await refusal(store, { do: 'verify', version: 0 })).toMatch(/^history is not complete: rows 4 to 5 came from /)
  })

  it('and behind records that were taken between the two is proved alike', async () => {
    const store = await untaken()
    store.lose('inflow')
    await asItIs(store, 'inflow')
    await streamed(store, [2009, 2009])
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'cold' })
    await streamed(store, [2010, 2010])
    await mustBeDone(store, { do: 'apply', version: 2, mode: 'cold' })
    await streamed(store, [2011, 2011])
    // What @2 has taken over goes on from where @1 began.
    await expectProvedByReplay(store, 2, [12, 13])
    await expectProvedByReplay(store, 1, [10, 11])
  })

  it('that goes on with features of before cannot be proved: it needs the records that are gone, and says which', async () => {
    const store = await untaken()
    await mustBeDone(store, { do: 'consume' }, { do: 'apply', version: 1, mode: 'cold' })
    await streamed(store, [2010, 2010])
    store.lose('inflow')
    await asItIs(store, 'inflow')
    await mustBeDone(store, { do: 'apply', version: 2, mode: 'cold' })
    await streamed(store, [2011, 2011])
    const gone = /^history is not complete: rows 4 to 11 came from an inflow that was deleted since\. /
    for (const version of [1, 2]) expect(await refusal(store, { do: 'verify', version })).toMatch(gone)
  })
})

describe('repair behind reset inflow --as-it-is', () => {
  it('makes what can be made, and names the versions whose records are gone', async () => {
    const store = await untaken()
    store.lose('inflow')
    await asItIs(store, 'inflow')
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'cold' })
    await streamed(store, [2009, 2010])
    await store.sql(`DELETE FROM ${set}_rows WHERE _seq IN (2, 8)`)
    const { versions } = await repair(store.open(), { set, ...watch })
    expect(versions).toEqual([
      { version: 0, checked: 0, written: 0, removed: 0, left: expect.stringMatching(/^history is not complete: rows 4 to 5 came from/) },
      { version: 1, checked: 4, written: 1, removed: 0, left: null },
    ])
    expect(await proof(store, 1)).toMatchObject({ rows: 4, differences: 0 })
    store.lose('warehouse')
    await repair(store.open(), { set, ...watch })
    await mustBeDone(store, { do: 'sink' })
    expect((await store.look()).base!.map(({ _seq }) => _seq)).toEqual([4, 5, 7, 8, 10, 11])
  })
})

describe('a version applied with --cold behind reset inflow', () => {
  it('is proved by what came since, also where numbers are rejected and messages are duplicates', async () => {
    const store = storeInMemory(scores, 1, loansText(rows))
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2007] })
    await streamed(store, [2008, 2008])
    await trim(store)
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'cold' })
    await streamed(store, [2009, 2009])
    await foreign(store, [8])
    await streamed(store, [2010, 2010])
    expect(await proof(store, 1)).toMatchObject({ rows: 4, differences: 0, untold: 0 })
    // Of a number of before nobody can tell any more whether it was taken; of one since then, that nobody took it.
    await foreign(store, [5, 6])
    await mustBeDone(store, { do: 'consume' })
    const dropped = { seq: 6, column: 'record', expected: 'taken once', found: 'dropped as a duplicate' }
    expect(await proof(store, 1)).toMatchObject({ rows: 4, differences: 1, untold: 1, first: [dropped] })
  })
})

describe('a version applied with --cold behind reset outflow --as-it-is', () => {
  it('is proved, and the rows that were lost on their way are named until repair has brought them', async () => {
    const store = await untaken()
    await mustBeDone(store, { do: 'consume' }, { do: 'sink' }, { do: 'apply', version: 1, mode: 'cold' })
    await mustBeDone(store, { do: 'produce', years: [2010, 2010] }, { do: 'consume' })
    store.lose('outflow')
    const said = await asItIs(store, 'outflow')
    expect(said.at(-1)).toMatch(/lacks rows of scores@1 behind record 0 \(computed up to 11\): tidemark repair scores$/)
    await streamed(store, [2011, 2011])
    const lost = [10, 11].map((seq) => ({ seq, column: 'row', expected: 'a row', found: 'no row' }))
    expect(await proof(store, 1)).toMatchObject({ rows: 4, differences: 2, first: lost })
    const { versions } = await repair(store.open(), { set, ...watch })
    expect(versions.map(({ version, written, removed }) => [version, written, removed])).toEqual([
      [0, 0, 0],
      [1, 2, 0],
    ])
    await expectProvedByReplay(store, 1, [10, 11, 12, 13])
  })
})
