/** Facts: changes of sale lines in, what accounts owe out, through the engine alone and through the consumer. The changes are made up. */
import { wire, type Ports } from '../config/wire.ts'
import { consume } from '../consumer/consume.ts'
import { featureSet, mean, sum } from '../definitions.ts'
import { makerOf } from '../feature-defs/maker.ts'
import { date, decimal, fact, flag, integer, table, text } from '../feature-defs/language.ts'
import { textColumn } from '../feature-defs/values.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { registerInflow } from '../streams/inflow.ts'
import { ensureTopics } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { apply } from '../versions/apply.ts'
import { inScratch } from './scratch.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { noDay } from '../utilities/values/columns.ts'

const lines = table(
  'lines',
  { key: 'line' },
  {
    line: integer(),
    account: text({ bytes: 20 }),
    issued: date(),
    amount: decimal({ digits: 14, scale: 2 }),
    unpaid: flag(),
    late: flag(),
  },
)
const sale = fact(
  'sale',
  { of: lines, at: 'issued' },
  {
    account: text({ bytes: 20 }),
    issued: date({ nullable: false }),
    amount: decimal({ digits: 14, scale: 2 }),
    unpaid: flag(),
    late: flag(),
  },
)
const owing = featureSet(
  { name: 'owing', of: sale, per: 'account' },
  {
    owing: sum('amount', { all: true, when: 'unpaid' }),
    overdue: sum('amount', { olderThanDays: 30, when: 'unpaid' }),
    late_share: mean('late', { all: true, round: 4 }),
  },
).definition

const batchRows = 10_000

/** Lines of so many accounts that are issued, most of them, and paid, one by one. */
function batches(count: number, accounts: number): readonly Columns[] {
  let seed = 12345
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const known: { account: number; issued: number; amount: number }[] = []
  return Array.from({ length: count / batchRows }, (_, batch) => {
    const rows = Array.from({ length: batchRows }, (_, row) => {
      const seq = batch * batchRows + row + 1
      const day = 18_000 + Math.floor(seq / 1000)
      const paid = known.length > 1000 && random(3) === 0 ? known[random(known.length)]! : undefined
      const line = paid ?? { account: random(accounts), issued: day - random(3), amount: random(100_000) }
      if (!paid) known.push(line)
      return { seq, day, line, paid: paid !== undefined }
    })
    const side = (name: string, isThere: (row: (typeof rows)[number]) => boolean, unpaid: number): (readonly [string, Column])[] => [
      [name, { kind: 'flag', values: Uint8Array.from(rows, (row) => Number(isThere(row))) }],
      [`${name}.account`, textColumn(rows.map((row) => (isThere(row) ? `account-${row.line.account}` : NaN)))],
      [`${name}.issued`, { kind: 'date', days: Int32Array.from(rows, (row) => (isThere(row) ? row.line.issued : noDay)) }],
      [`${name}.amount`, { kind: 'decimal', scale: 2, values: Float64Array.from(rows, (row) => (isThere(row) ? row.line.amount : NaN)) }],
      [`${name}.unpaid`, { kind: 'flag', values: Uint8Array.from(rows, (row) => (isThere(row) ? (row.paid ? unpaid : 1) : 2)) }],
      [`${name}.late`, { kind: 'flag', values: Uint8Array.from(rows, (row) => (isThere(row) ? row.line.issued % 2 : 2)) }],
    ]
    return {
      count: batchRows,
      byName: new Map<string, Column>([
        ['_seq', { kind: 'int', values: Float64Array.from(rows, ({ seq }) => seq) }],
        [
          'known',
          { kind: 'long', values: BigInt64Array.from(rows, ({ day, seq }) => BigInt(day) * 86_400_000_000_000n + BigInt(seq >> 3)) },
        ],
        ['change', textColumn(rows.map(({ paid }) => (paid ? 'changed' : 'added')))],
        ['key', textColumn(rows.map(({ seq }) => `${seq}`))],
        ...side('before', ({ paid }) => paid, 1),
        ...side('after', () => true, 0),
        ['group_end', { kind: 'flag', values: Uint8Array.from(rows, ({ seq }) => Number(seq % 10 === 0)) }],
        ['tick', { kind: 'date', days: new Int32Array(batchRows).fill(noDay) }],
      ]),
    }
  })
}

/** Rows a second of processor time, state and dues saved after each batch. */
async function engineAlone(some: readonly Columns[]): Promise<number> {
  const maker = makerOf(owing)
  const started = process.cpuUsage()
  let rows = 0
  for (const batch of some) {
    rows += (await maker.push(batch)).records.count
    maker.changes()
    maker.dueChanges()
  }
  return perSecond(rows, started)
}

/** From inflow to outflow, committed, on the embedded log. */
const consumed = (some: readonly Columns[]): Promise<number> =>
  inScratch(async ({ config }) => {
    const ports = await wire(config)
    try {
      const { inflow, outflow } = await written(ports, some)
      const signal = new AbortController().signal
      await apply(ports, {
        chain: [owing],
        version: 0,
        mode: 'first',
        partitions: 1,
        actor: { who: 'bench', why: null },
        signal,
        report: () => {},
      })
      const started = process.cpuUsage()
      await consume(ports, { over: owing, partition: 0, follow: false, signal, report: () => {} })
      const speed = perSecond(inflow, started)
      const made = (await ports.log.topics()).find(({ topic }) => topic === outflow)!.partitions[0]!.next
      if (made !== inflow) throw new Error(`${made} rows of ${inflow} changes`)
      return speed
    } finally {
      await ports.close()
    }
  })

async function written({ log, registry, checkpoints }: Ports, some: readonly Columns[]) {
  const stream = streamOf(sale)
  await ensureTopics({ log, registry, checkpoints }, stream, 1)
  const encode = encoder(inflowSchema(sale), (await registerInflow(registry, sale)).id)
  const writer = await log.writer('bench')
  for (const batch of some) await writer.commit({ append: [{ topic: stream.inflow, partition: 0, batch: encode(batch) }] })
  await writer.close()
  return { inflow: some.length * batchRows, outflow: stream.outflow }
}

function perSecond(rows: number, started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started)
  return Math.round(rows / ((user + system) / 1e6))
}

if (import.meta.main) {
  for (const accounts of [1000, 20_000]) {
    const some = batches(300_000, accounts)
    for (const [name, measure] of [
      ['engine', engineAlone],
      ['inflow to outflow', consumed],
    ] as const) {
      const rounds: number[] = []
      for (let round = 0; round < 5; round++) rounds.push(await measure(some))
      const [least, middle, most] = [0, 2, 4].map((place) => Math.round(rounds.toSorted((a, b) => a - b)[place]! / 1000))
      console.log(`${accounts} accounts, ${name}: ${least} / ${middle} / ${most} thousand changes a second of processor time`)
    }
  }
}
