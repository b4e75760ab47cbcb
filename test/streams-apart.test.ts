/** Streams of one store in memory: cut short anywhere, none disturbs another; what a store of before has keeps its names. */
import { describe, expect, it } from 'vitest'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import type { Source } from '../utilities/source.ts'
import { loadHeld } from '../streams/held.ts'
import { streamOf, streamWith } from '../streams/stream.ts'
import { goOnAsItIs } from '../use-cases/reset-as-it-is.ts'
import { statusOf } from '../use-cases/status.ts'
import { runCommand } from './driver/commands.ts'
import { storeInMemory, textSource, type StoreInMemory } from './driver/in-memory.ts'
import type { DrivenSet } from './driver/sets.ts'
import type { Command } from './driver/step.ts'
import { Killed, withFaults } from './faults.ts'
import { loansText } from './loans-text.ts'
import { loanRisk, mustBeDone, refusal } from './memory-steps.ts'
import { readLoanFile, type Loan } from './oracle/loan-file.ts'
import { randomFrom } from './seeded.ts'
import {
  clicks0,
  clicks1,
  clicks2,
  expectedRows,
  madeClicks,
  madePayments,
  payment,
  payments0,
  payments1,
  payments2,
  v0,
  v1,
  v2,
  type Made,
} from './three-records.ts'

const signal = new AbortController().signal

type One = {
  readonly set: DrivenSet
  readonly partitions: number
  readonly source: Source
  readonly records: readonly Loan[]
  readonly key?: number
}

const loans = loansText(Array.from({ length: 240 }, (_, i) => 2007 + Math.floor(i / 40)))
const set = (...versions: readonly (typeof payments0 | typeof clicks0 | typeof v0)[]): DrivenSet => {
  const chain = versions.map(({ definition }) => definition)
  return { set: chain[0]!.set, per: chain[0]!.per, chain, text: '' }
}
const keyed = (versions: DrivenSet, { csv, records }: Made, partitions: number, key: number): One => ({
  set: versions,
  partitions,
  source: textSource(csv, `${versions.set}.csv`),
  records,
  key,
})
const three: readonly One[] = [
  { set: set(v0, v1, v2), partitions: 1, source: textSource(loans), records: readLoanFile(Buffer.from(loans)).loans },
  keyed(set(payments0, payments1, payments2), madePayments(300, 3), 3, 0),
  keyed(set(clicks0, clicks1, clicks2), madeClicks(200, 4), 2, 2),
]

/** Each reads its own file again. */
const portsOf = (store: StoreInMemory) => ({
  ...store.open(),
  openSource: (place: string) => three.find(({ source }) => source.place === place)!.source,
})

async function rowsOf(store: StoreInMemory, view: string): Promise<readonly (readonly unknown[])[]> {
  const { columns, rows } = await store.open().warehouse.query(`SELECT * FROM ${view} ORDER BY _seq`)
  const computed = columns.indexOf('_modified_ts')
  const plain = (cell: unknown) => (typeof cell === 'bigint' ? Number(cell) : cell)
  return rows.map((row) => row.filter((_, i) => i !== computed).map(plain))
}

describe('streams of one store', () => {
  it.each([1, 2, 3])('each equal their oracle, whatever is killed at whatever write, and where it is run again (seed %i)', async (seed) => {
    const chance = randomFrom(seed)
    const store = storeInMemory(loanRisk, 1, '')
    let killed = 0
    const run = async (one: One, command: Command) => {
      // A few times, each killed before one of its first writes, and then to the end.
      for (let left = Math.floor(chance() * 3); left > 0; left--) {
        const { ports } = withFaults(portsOf(store), { kind: 'kill', write: 1 + Math.floor(chance() * 12) })
        await runCommand(ports, command, { ...one, signal }).catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error
          killed++
        })
      }
      await runCommand(portsOf(store), command, { ...one, signal })
    }
    const runAll = async (command: Command) => {
      for (const one of three.toSorted(() => chance() - 0.5)) await run(one, command)
    }
    for (const [version, years] of [
      [2007, 2008],
      [2009, 2010],
      [2011, 2012],
    ].entries()) {
      await runAll({ do: 'apply', version, mode: version === 1 ? 'shadow' : 'backfill' })
      await runAll(version === 0 ? { do: 'backfill', years: [2007, 2007] } : { do: 'produce', years: years as [number, number] })
      if (version === 0) await runAll({ do: 'produce', years: [2008, 2008] })
      await run(three[0]!, { do: 'consume' })
      await run(three[0]!, { do: 'sink' })
    }
    expect(killed).toBeGreaterThan(5)
    for (const {
      set: { set },
      records,
      key,
    } of three) {
      for (const version of [0, 1, 2]) {
        const there = await rowsOf(store, `${set}_v${version}`)
        const last = Number(there.at(-1)!.at(-1))
        const expected = expectedRows(records, key, version)
        expect(there).toEqual(version === 2 ? expected : expected.filter((row) => Number(row.at(-1)) <= last))
      }
      expect(await rowsOf(store, set)).toEqual(expectedRows(records, key, 2))
      for (const version of [0, 1, 2]) {
        const said = await runCommand(portsOf(store), { do: 'verify', version }, { ...three.find((one) => one.set.set === set)!, signal })
        expect(said).toEqual({ equal: true, named: [] })
      }
    }
  })

  it('are each numbered by themselves, hold what was produced into them, and repair what is theirs', async () => {
    const store = storeInMemory(loanRisk, 1, '')
    const run = (one: One, command: Command) => runCommand(portsOf(store), command, { ...one, signal })
    for (const one of three) await run(one, { do: 'apply', version: 0, mode: 'backfill' })
    for (const one of three) await run(one, { do: 'produce', years: [2007, 2012] })
    const held = async () =>
      Promise.all(
        three.map(async ({ set }) =>
          (await loadHeld(store.open().checkpoints, streamOf(set.chain[0]!.record))).map(({ base, rows }) => [base, rows]),
        ),
      )
    expect(await held()).toEqual([[[0, 240]], [[0, 300]], [[0, 200]]])
    await run(three[0]!, { do: 'consume' })
    await run(three[0]!, { do: 'sink' })
    await store.sql('DELETE FROM payments_rows WHERE _seq < 50')
    await run(three[1]!, { do: 'repair' })
    for (const {
      set: { set },
      records,
      key,
    } of three)
      expect(await rowsOf(store, set)).toEqual(expectedRows(records, key, 0))
  })
})

describe('what a store of before has', () => {
  it('keeps its names: topics, what inflow holds, the place of the sink', async () => {
    const store = storeInMemory(loanRisk, 1, loansText([2008, 2008]))
    await mustBeDone(
      store,
      { do: 'apply', version: 0, mode: 'backfill' },
      { do: 'produce', years: [2008, 2008] },
      { do: 'consume' },
      { do: 'sink' },
    )
    const { log, checkpoints, warehouse } = store.open()
    expect((await log.topics()).map(({ topic }) => topic)).toEqual(['inflow', 'inflow.dead', 'outflow'])
    expect([...(await checkpoints.load('topics')).keys()]).toEqual(['inflow', 'outflow'])
    expect([...(await checkpoints.load('produced/inflow')).keys()]).toEqual(['', 'keyed-by'])
    // Behind two rows and what is told of the versions that are shown.
    expect(await warehouse.progress('sink/outflow/0')).toBe(3)
    for (const topic of ['inflow', 'outflow']) expect(streamWith(topic)).toEqual(streamOf(rejectedLoan))
    for (const topic of ['inflow.payment', 'outflow.payment']) expect(streamWith(topic)).toEqual(streamOf(payment))
  })

  it('of a record of its own in the one inflow there was, is not gone on with in silence, and has a way out', async () => {
    const { csv, records } = madePayments(120, 1)
    const payments = set(payments0, payments1)
    const store = storeInMemory(payments, 1, csv)
    await mustBeDone(
      store,
      { do: 'apply', version: 0, mode: 'backfill' },
      { do: 'produce', years: [2007, 2010] },
      { do: 'consume' },
      { do: 'sink' },
    )
    // As such a store looks: its topics had other names, and nothing is kept of those of today.
    const { log, checkpoints } = store.open()
    const kept = ['inflow.payment', 'outflow.payment'] as const
    kept.forEach((topic) => store.lose(topic))
    const writer = await log.writer('before')
    const held = [...(await checkpoints.load('produced/inflow.payment')).keys()]
    await writer.commit({
      save: [
        ...kept.map((key) => ({ name: 'topics', key, value: null })),
        ...held.map((key) => ({ name: 'produced/inflow.payment', key, value: null })),
      ],
    })

    const said =
      'payments goes on at offset 80 of inflow.payment, and there is no such topic: it was deleted, or this store is from before each ' +
      'record had a stream of its own, when payment came in through inflow. To go on with a new one, rows and state staying as they are: ' +
      'tidemark reset inflow.payment --as-it-is'
    for (const command of [
      { do: 'consume' },
      { do: 'produce', years: [2011, 2012] },
      { do: 'apply', version: 1, mode: 'backfill' },
    ] as const)
      expect(await refusal(store, command)).toBe(said)

    const stream = streamOf(payment)
    for (const topic of [stream.inflow, stream.outflow])
      await goOnAsItIs(store.open(), { stream, topic, partitions: 1, agree: async () => true })
    await mustBeDone(store, { do: 'produce', years: [2011, 2012] }, { do: 'consume' }, { do: 'sink' })
    expect(await rowsOf(store, 'payments')).toEqual(expectedRows(records, 0, 0))
    const { streams } = await statusOf(store.open(), { overMs: 0, atWork: false, signal })
    expect(streams).toMatchObject([{ record: 'payment', inflow: 'inflow.payment', sets: ['payments'], sink: { lag: 0 } }])
  })
})
