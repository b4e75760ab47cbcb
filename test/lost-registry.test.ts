/**
 * A registry in a file that was lost: every schema that a message of the store names comes back under its id, whoever had registered it.
 */
import { describe, expect, it } from 'vitest'
import { messagesOf } from '../use-cases/topic-messages.ts'
import { featureSet, mean } from '../feature-defs/language.ts'
import { streamOf } from '../streams/stream.ts'
import { checkRegistry, hasLostRegistry, takeRegistry } from '../streams/store.ts'
import { produce } from '../producer/produce.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
import { apply } from '../versions/apply.ts'
import { restoreSchemas } from '../versions/repair.ts'
import { verify } from '../versions/verify.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import { loansText } from './loans-text.ts'
import { foreign, loanRisk, mustBeDone, refusal, streamed } from './memory-steps.ts'

const signal = new AbortController().signal
const years = [2007, 2007, 2008, 2008, 2009]

async function schemasIn(registry: Registry): Promise<readonly Pick<Registered, 'id' | 'subject' | 'number' | 'definition'>[]> {
  const all = await Promise.all((await registry.subjects()).map((subject) => registry.list(subject)))
  return all.flat().map(({ id, subject, number, definition }) => ({ id, subject, number, definition }))
}

/** As the command does it. */
async function repaired(store: StoreInMemory): Promise<void> {
  const ports = store.open()
  expect(await hasLostRegistry(ports)).toBe(true)
  await restoreSchemas(ports)
  await takeRegistry(ports)
  await checkRegistry(ports)
}

/** As a producer whose definitions may be newer than what is applied. */
const producing = (store: StoreInMemory, record: typeof rejectedLoan, from: number) => {
  const ports = store.open()
  const options = {
    record,
    per: null,
    partitions: 1,
    years: [from, from] as const,
    strict: false,
    continue: false,
    signal,
    report: () => {},
  }
  return produce({ ...ports, source: ports.openSource('', ''), rejects: ports.rejects('inflow') }, options)
}

const reasons = async (store: StoreInMemory) => {
  const ports = store.open()
  const found = await messagesOf(ports, { topic: streamOf(rejectedLoan).dead, partition: undefined, most: 10, from: undefined })
  return found.map((one) => ('fields' in one ? one.fields['reason'] : undefined))
}

describe('a registry that was lost', () => {
  it('comes back with the schemas of versions, of dead letters, and of records that were produced for a version to come', async () => {
    const store = storeInMemory(loanRisk, 1, loansText(years))
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
    await streamed(store, [2007, 2007])
    await foreign(store, [5])
    await mustBeDone(store, { do: 'consume' }, { do: 'apply', version: 1, mode: 'cold' })
    // What takes longer texts is read by those who do not know of it, as long as the texts are short.
    const { fields } = rejectedLoan
    const longer = { ...rejectedLoan, fields: { ...fields, zip_code: { ...fields.zip_code, bytes: 20 } } }
    await producing(store, longer, 2008)

    const before = await schemasIn(store.open().registry)
    expect(new Set(before.map(({ subject }) => subject))).toEqual(
      new Set(['dead_letter', 'loan_risk', 'rejected_loan', 'tidemark_versions_shown']),
    )
    expect(before).toHaveLength(6)
    expect(await reasons(store)).toEqual(['no producer has recorded its number 5'])
    store.lose('registry')
    await repaired(store)
    expect(await schemasIn(store.open().registry)).toEqual(before)
    expect(await reasons(store)).toEqual(['no producer has recorded its number 5'])

    // What waits in inflow is read as if nothing had been, and what comes after is written under the same ids.
    await mustBeDone(store, { do: 'consume' })
    await streamed(store, [2009, 2009])
    expect(await schemasIn(store.open().registry)).toEqual(before)
    expect((await store.look()).base!.map(({ _seq }) => _seq)).toEqual([1, 2, 3, 4, 5])
    expect(await verify(store.open(), { set: 'loan_risk', version: 1, signal, report: () => {} })).toMatchObject({
      rows: 3,
      differences: 0,
    })
  })

  it('where nothing was applied yet comes back with what was produced', async () => {
    const store = storeInMemory(loanRisk, 1, loansText(years))
    await producing(store, rejectedLoan, 2007)
    const before = await schemasIn(store.open().registry)
    store.lose('registry')
    await restoreSchemas(store.open())
    expect(await schemasIn(store.open().registry)).toEqual(before)
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'consume' }, { do: 'sink' })
    expect((await store.look()).base!.map(({ _seq }) => _seq)).toEqual([1, 2])
  })

  it('comes back for all sets, whichever is repaired', async () => {
    const other = featureSet({ name: 'other', of: rejectedLoan }, { m: mean('risk_score', { last: 3 }) })
    const store = storeInMemory(loanRisk, 1, loansText(years))
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
    const watch = { actor: { who: 'somebody', why: null }, partitions: 1, signal, report: () => {} }
    await apply(store.open(), { chain: [other.definition], version: 0, mode: 'first', ...watch })
    store.lose('registry')
    const restored = await restoreSchemas(store.open())
    expect(Object.fromEntries(restored)).toEqual({ '': 1, loan_risk: 2, other: 1 })
  })

  it('of a store of before, whose journal nobody had written, is said to be needed from a copy', async () => {
    const store = storeInMemory(loanRisk, 1, loansText(years))
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' })
    const { log, checkpoints } = store.open()
    const save = [...(await checkpoints.load('journal/loan_risk')).keys()].map((key) => ({ name: 'journal/loan_risk', key, value: null }))
    await (await log.writer('journal/loan_risk')).commit({ save })
    store.lose('registry')
    expect(await refusal(store, { do: 'repair' })).toMatch(
      /^the registry has lost the schema \S+ of loan_risk, and nobody has written down what it was\. Restore the registry from a copy/,
    )
  })
})
