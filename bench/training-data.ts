/** A store with a set of many rows, and labels that ask about it: what training sets are measured on. */
import { mkdirSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { openParquet } from '../utilities/parquet/write.ts'
import { textsFrom } from '../utilities/sql/cells.ts'
import { openEmbeddedWarehouse } from '../utilities/sqlite/warehouse/warehouse.ts'
import type { Column, Columns } from '../utilities/values/columns.ts'
import type { VersionRecord } from '../utilities/warehouse.ts'
import { layoutOf } from '../versions/layout.ts'
import { spending } from './training-definitions.ts'

export type Sizes = { readonly rows: number; readonly labels: number; readonly keys: number }

const rowsPerBatch = 50_000
/** Some of them have no row. */
const strangers = 0.02
const [firstMicros, lastMicros] = [Date.UTC(2024, 0, 1) * 1000, Date.UTC(2025, 0, 1) * 1000]

const account = (n: number) => `account_${String(n).padStart(6, '0')}`

/** The same for the same number. */
function chanceFrom(start: number): () => number {
  let state = start
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

export async function fillWarehouse(dataDir: string, { rows, keys }: Sizes): Promise<void> {
  const { definition } = spending
  const record: VersionRecord = {
    set: 'spending',
    version: 0,
    state: 'promoted',
    mode: 'first',
    schemaId: 'bench',
    definition: JSON.stringify(definition),
    switches: [],
    promotion: 1,
    acts: [],
  }
  mkdirSync(dataDir, { recursive: true })
  const warehouse = openEmbeddedWarehouse(join(dataDir, 'warehouse.db'))
  await warehouse.arrange(layoutOf([definition], [record]), [record])
  const chance = chanceFrom(1)
  for (let from = 0; from < rows; from += rowsPerBatch)
    await warehouse.write('spending', batch(from, Math.min(rowsPerBatch, rows - from), { rows, keys, chance }))
  await warehouse.close()
}

function batch(
  from: number,
  count: number,
  { rows, keys, chance }: { readonly rows: number; readonly keys: number; readonly chance: () => number },
): Columns {
  const numbers = (value: (row: number) => number) => Float64Array.from({ length: count }, (_, row) => value(row))
  const byName = new Map<string, Column>([
    ['account', textsFrom(Array.from({ length: count }, () => account(Math.floor(chance() * keys))))],
    ['at', { kind: 'timestamp', values: numbers((row) => Math.floor(firstMicros + ((from + row) / rows) * (lastMicros - firstMicros))) }],
    ['amount', { kind: 'number', values: numbers(() => Math.round(chance() * 10_000) / 100) }],
    ['mean10', { kind: 'number', values: numbers(() => Math.round(chance() * 100_000) / 1000) }],
    ['total', { kind: 'number', values: numbers(() => Math.round(chance() * 1e8) / 100) }],
    ['_seq', { kind: 'int', values: numbers((row) => from + row + 1) }],
    ['_version', { kind: 'int', values: new Float64Array(count) }],
    ['_modified_ts', { kind: 'long', values: new BigInt64Array(count).fill(1_767_225_600_000_000_000n) }],
  ])
  return { count, byName }
}

export async function writeLabels(path: string, folder: string, { labels, keys }: Sizes): Promise<void> {
  mkdirSync(folder)
  const columns = [
    { name: 'id', type: 'bigint' },
    { name: 'account', type: { varchar: 20 } },
    { name: 'decided_at', type: 'timestamp' },
    { name: 'y', type: 'double' },
  ] as const
  const writer = await openParquet({ folder, columns, rowsPerFile: labels })
  const chance = chanceFrom(2)
  for (let from = 0; from < labels; from += rowsPerBatch) {
    const count = Math.min(rowsPerBatch, labels - from)
    const numbers = (value: (row: number) => number) => Float64Array.from({ length: count }, (_, row) => value(row))
    await writer.append({
      count,
      byName: new Map<string, Column>([
        ['id', { kind: 'integer', values: numbers((row) => from + row) }],
        ['account', textsFrom(Array.from({ length: count }, () => account(Math.floor(chance() * keys * (1 + strangers)))))],
        ['decided_at', { kind: 'timestamp', values: numbers(() => Math.floor(firstMicros + chance() * (lastMicros - firstMicros))) }],
        ['y', { kind: 'number', values: numbers(() => Math.round(chance())) }],
      ]),
    })
  }
  await writer.finish()
  writer.close()
  await rename(join(folder, 'part-00001.parquet'), path)
}
