/** The engine over facts alone: changes of sale lines in, what accounts owe out. Made-up changes, batches as the consumer has them. */
import { featureSet, mean, sum } from '../definitions.ts'
import { makerOf } from '../feature-defs/maker.ts'
import { date, decimal, fact, flag, integer, table, text } from '../feature-defs/language.ts'
import { textColumn } from '../feature-defs/values.ts'
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
export const owing = featureSet(
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

if (import.meta.main) {
  for (const accounts of [1000, 20_000]) {
    const some = batches(300_000, accounts)
    for (let round = 0; round < 4; round++) {
      const maker = makerOf(owing)
      const started = process.cpuUsage()
      let [rows, kept] = [0, 0]
      for (const batch of some) {
        rows += (await maker.push(batch)).records.count
        kept += maker.changes().size + maker.dueChanges().length
      }
      const { user, system } = process.cpuUsage(started)
      console.log(`${accounts} accounts: ${Math.round(rows / ((user + system) / 1e6) / 1000)} thousand rows/s, ${kept} entries kept`)
    }
  }
}
