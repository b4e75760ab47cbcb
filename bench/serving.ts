/** Serving: rows into the store that services read, in batches of columns, and out of it, key by key, within one transaction. */
import { join } from 'node:path'
import { openServedFile } from '../utilities/sqlite/served/served.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { textColumn } from '../feature-defs/values.ts'
import type { Served } from '../utilities/served.ts'
import { inScratch } from './scratch.ts'

const [keys, batches, rowsPerBatch, features] = [100_000, 60, 10_000, 4]
const kept = ['_modified_ts', '_at', ...Array.from({ length: features }, (_, i) => `f${i}`)]

/** Keys by chance: every row of a batch is of another one. */
function batch(number: number): Columns {
  const count = rowsPerBatch
  const values = (make: (row: number) => number): Float64Array => Float64Array.from({ length: count }, (_, row) => make(row))
  const longs = (value: bigint): Column => ({ kind: 'long', values: new BigInt64Array(count).fill(value) })
  return {
    count,
    byName: new Map<string, Column>([
      ['_key', textColumn(Array.from({ length: count }, (_, row) => `key-${((number * rowsPerBatch + row) * 7919) % keys}`))],
      ['_seq', { kind: 'int', values: values((row) => number * rowsPerBatch + row + 1) }],
      ['_known_ts', longs(1_700_000_000_000_000_000n)],
      ['_modified_ts', longs(1_700_000_000_000_000_001n)],
      ['_at', { kind: 'number', values: values(() => 1_700_000_000_000) }],
      ...Array.from({ length: features }, (_, i) => [`f${i}`, { kind: 'number', values: values((row) => (row * (i + 1)) / 8) }] as const),
    ]),
  }
}

/** Of all threads: what else runs on the machine takes no part. */
const usedMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const perSecond = (count: number, ms: number) => Math.round((count / ms) * 1000).toLocaleString('en')

async function writing(served: Served): Promise<number> {
  const all = Array.from({ length: batches }, (_, i) => batch(i))
  const startedMs = usedMs()
  for (const [i, entries] of all.entries()) {
    await served.write({ lots: [{ table: 'rows/set@0', entries, kept }], notes: [{ name: 'place', text: String(i) }], isTurn: i === 0 })
  }
  return usedMs() - startedMs
}

function reading(served: Served, keysAtOnce: number, times: number): number {
  const startedMs = usedMs()
  for (let i = 0; i < times; i++)
    served.read((reader) => {
      reader.turn()
      for (let k = 0; k < keysAtOnce; k++) if (!reader.entry('rows/set@0', `key-${(i * 31 + k * 977) % keys}`)) throw new Error('no entry')
    })
  return ((usedMs() - startedMs) * 1000) / times
}

await inScratch(async ({ dir }) => {
  const served = openServedFile(join(dir, 'serving.db'))
  const ms = await writing(served)
  const what = `${keys} keys, ${features} features, batches of ${rowsPerBatch}`
  console.log(`kept: ${perSecond(batches * rowsPerBatch, ms)} rows a second of processor (${what})`)
  for (const [at, times] of [
    [1, 50_000],
    [100, 2_000],
  ] as const) {
    reading(served, at, times / 4)
    console.log(`read: ${reading(served, at, times).toFixed(1)} µs of processor for ${at} keys`)
  }
  await served.close()
})
