/** Rows of a file that one version can read and another cannot: one decision for all, figures that add up, and nobody's loss is silent. */
import { describe, expect, it } from 'vitest'
import { backfill } from '../batch/backfill.ts'
import type { Backfilled } from '../batch/share.ts'
import { totalsText } from '../commands/totals.ts'
import { loadPositions } from '../streams/position.ts'
import { featureSet, mean } from '../feature-defs/language.ts'
import { registerInflow } from '../streams/inflow.ts'
import { streamOf } from '../streams/stream.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { encodeObject } from '../schemas/avro/generic.ts'
import { date, number, record, text } from '../schemas/record.ts'
import { frameHeader } from '../schemas/wire.ts'
import { tally } from '../versions/tally.ts'
import { verify } from '../versions/verify.ts'
import { storeInMemory, type StoreInMemory } from './driver/in-memory.ts'
import type { DrivenSet } from './driver/sets.ts'
import type { Years } from './driver/step.ts'
import { readOf } from '../use-cases/file-rows.ts'
import { mustBeDone } from './memory-steps.ts'

const payment = (nullable: boolean) =>
  record('payment', 'day', {
    day: date('Day', { nullable: false }),
    shop: text('Shop', { bytes: 8 }),
    amount: number('Amount', { nullable }),
    score: number('Score'),
  })

/** An amount may be missing in @1. */
function payments(per: 'shop' | null): DrivenSet {
  const over = (version: number, nullable: boolean) => {
    const { definition } = featureSet({ name: 'payments', of: payment(nullable), ...(per && { per }) }, { ma2: mean('score', { last: 2 }) })
    return { ...definition, version }
  }
  return { set: 'payments', per, chain: [over(0, false), over(1, true)], text: '' }
}

/** Records 1 to 10, of which @0 cannot read 4, 5 and 9, and nobody 6. */
const csv = `Day,Shop,Amount,Score
2007-01-01,a,1,10
2007-01-02,b,2,20
2008-01-01,a,3,30
2008-01-02,b,,40
2008-01-03,a,,50
2008-01-03,a,6,x
2008-01-04,b,7,70
2009-01-01,a,8,80
2009-01-02,b,,90
2009-01-03,a,10,100
`

const signal = new AbortController().signal
const proof = (store: StoreInMemory, version: number) => verify(store.open(), { set: 'payments', version, signal, report: () => {} })
const seqs = async (store: StoreInMemory, version: number) => (await store.look()).views.get(version)!.map(({ _seq }) => _seq)
async function unreadOf(store: StoreInMemory, version: number): Promise<number> {
  const positions = await loadPositions(store.open().checkpoints, 'payments')
  return positions.reduce((sum, { runs }) => sum + (runs.find((run) => run.version === version)!.unread ?? 0), 0)
}

function backfilling(store: StoreInMemory, years: Years): Promise<Backfilled> {
  const ports = store.open()
  const options = { set: 'payments', years, strict: false, continue: false, by: 'a test', signal, report: () => {} }
  return backfill({ ...ports, source: ports.openSource('', ''), rejects: ports.rejects('payments') }, options)
}

/** Both versions are computed, and have 2007. */
async function both(per: 'shop' | null, partitions: number): Promise<StoreInMemory> {
  const store = storeInMemory(payments(per), partitions, csv)
  await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2007] })
  await mustBeDone(store, { do: 'apply', version: 1, mode: 'shadow' })
  return store
}

async function expectWhole(store: StoreInMemory): Promise<void> {
  expect([await seqs(store, 0), await seqs(store, 1)]).toEqual([
    [1, 2, 3, 7, 8, 10],
    [1, 2, 3, 4, 5, 7, 8, 9, 10],
  ])
  expect([await unreadOf(store, 0), await unreadOf(store, 1)]).toEqual([3, 0])
  expect(await proof(store, 0)).toMatchObject({ rows: 6, differences: 0 })
  expect(await proof(store, 1)).toMatchObject({ rows: 9, differences: 0 })
  const [first, second] = await tally(store.open(), 'payments')
  expect(first).toMatchObject({ rows: 6, taken: 6, unread: 3, addsUp: true })
  expect(second).toMatchObject({ rows: 9, taken: 9, unread: 0, addsUp: true })
  expect(store.rejected.map(({ seq, reason }) => [seq, reason])).toEqual([
    [4, 'payments@0 cannot read it: empty'],
    [5, 'payments@0 cannot read it: empty'],
    [6, 'not a number'],
    [9, 'payments@0 cannot read it: empty'],
  ])
}

describe('rows of a file that one live version can read and another cannot', () => {
  const spread = [
    { per: null, partitions: 1 },
    { per: 'shop', partitions: 3 },
  ] as const
  it.each(spread)('are records, with rows for whoever can read them, on $partitions partitions', async ({ per, partitions }) => {
    const store = await both(per, partitions)
    const done = await backfilling(store, [2008, 2008])
    expect(done).toMatchObject({ rows: 4, alreadyThere: 0, rejected: 1, notChosen: 5, versions: [1, 0], unread: [{ version: 0, rows: 2 }] })
    await backfilling(store, [2009, 2009])
    await expectWhole(store)
    expect(await backfilling(store, [2007, 2009])).toMatchObject({ rows: 0, alreadyThere: 9, rejected: 0, rejectedBefore: 1, unread: [] })
  })

  it('are printed, and the figures add up to the rows read', async () => {
    const done = await backfilling(await both(null, 1), [2008, 2009])
    const totals = { ...done, there: done.alreadyThere, unread: [{ name: 'payments@0', rows: done.unread[0]!.rows }] }
    expect(readOf(totals)).toBe(10)
    const { unread, ...figures } = totals
    expect(totalsText(figures, { took: 'backfilled 7 records', rejects: 'rejects.csv', goOn: '', unread })).toBe(
      [
        'backfilled 7 records',
        '3 of them cannot be read by payments@0, which has no rows for them, see rejects.csv',
        '1 line rejected, see rejects.csv',
        '2 of other years',
        '10 rows read',
      ].join('; '),
    )
  })

  it('are counted once, wherever the batch was killed before it was finished', async () => {
    for (let write = 1; ; write++) {
      const store = await both('shop', 2)
      const { ended } = await store.run({ do: 'backfill', years: [2008, 2009] }, { kind: 'kill', write })
      await mustBeDone(store, { do: 'backfill', years: [2008, 2009] })
      await expectWhole(store)
      if (ended === 'done') return expect(write).toBeGreaterThan(6)
    }
  })

  it('that were produced are taken before a batch may go on behind them, whoever can read them', async () => {
    const store = await both(null, 1)
    await mustBeDone(store, { do: 'produce', years: [2008, 2008] })
    await expect(backfilling(store, [2009, 2009])).rejects.toThrow('row 10 of 2009 lies behind row 3, which waits in inflow')
    await mustBeDone(store, { do: 'consume' }, { do: 'sink' })
    await backfilling(store, [2009, 2009])
    for (const version of [0, 1]) expect(await proof(store, version)).toMatchObject({ differences: 0, notSunk: 0 })
  })
})

describe('a version over a record that can read more', () => {
  it('takes of a file what was taken then: what was rejected by all stays so', async () => {
    const store = storeInMemory(payments(null), 1, csv)
    await mustBeDone(store, { do: 'apply', version: 0, mode: 'backfill' }, { do: 'backfill', years: [2007, 2008] })
    await mustBeDone(store, { do: 'apply', version: 1, mode: 'backfill' }, { do: 'backfill', years: [2009, 2009] })
    expect(await seqs(store, 1)).toEqual([1, 2, 3, 7, 8, 9, 10])
    expect(await proof(store, 1)).toMatchObject({ rows: 7, differences: 0 })
    // And @0, shown again, lacks the one that it cannot read.
    await mustBeDone(store, { do: 'rollback' })
    expect(await seqs(store, 0)).toEqual([1, 2, 3, 7, 8, 10])
    expect(await unreadOf(store, 0)).toBe(1)
    expect((await tally(store.open(), 'payments')).every(({ addsUp }) => addsUp)).toBe(true)
  })
})

describe('a duplicate of a record that one version cannot read', () => {
  it('is one to that version too, and no lost record', async () => {
    const store = await both(null, 1)
    await mustBeDone(store, { do: 'produce', years: [2008, 2008] }, { do: 'consume' }, { do: 'sink' })
    const { log, registry } = store.open()
    const { id } = await registerInflow(registry, payment(true))
    const again = { seq: 4, day: 13_880, shop: 'b', amount: null, score: 40 }
    const bytes = Buffer.concat([frameHeader(id), encodeObject(inflowSchema(payment(true)), again)])
    const batch = { bytes, ends: Uint32Array.of(bytes.length) }
    await (await log.writer('somebody else')).commit({ append: [{ topic: streamOf(payment(true)).inflow, partition: 0, batch }] })
    await mustBeDone(store, { do: 'consume' })
    for (const version of [0, 1]) expect(await proof(store, version)).toMatchObject({ differences: 0, untold: 0 })
  })
})
