/** Parquet read as columns: what we write, and what DuckDB writes in its ways, is what was put in. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openDuckdb } from '../bench/duckdb.ts'
import { openParquetColumns } from '../utilities/parquet/read-columns.ts'
import { openParquet } from '../utilities/parquet/write.ts'
import { textsFrom } from '../utilities/sql/cells.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { noDay, noFlag, type Column, type Columns } from '../utilities/values/columns.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'
import { randomFrom, seed } from './seeded.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-columns-'))
afterAll(() => rmSync(folder, { recursive: true }))

const columns: readonly SqlColumn[] = [
  { name: 'number', type: 'double' },
  { name: 'whole', type: 'bigint' },
  { name: 'text', type: { varchar: 100 } },
  { name: 'code', type: { varchar: 100 } },
  { name: 'day', type: 'date' },
  { name: 'moment', type: 'timestamp' },
  { name: 'flag', type: 'boolean' },
  { name: 'price', type: { digits: 12, scale: 2 } },
  { name: 'long_price', type: { digits: 38, scale: 3 } },
  { name: '_seq', type: 'bigint' },
  { name: '_known_ts', type: 'bigint' },
]

function rowsBy(start: number, count: number, nulls: number): Columns {
  const random = randomFrom(start)
  const values = (value: () => number) => Float64Array.from({ length: count }, () => (random() < nulls ? NaN : value()))
  const big = values(() => Math.floor(random() * 1e6))
  const wide = new Map<number, bigint>()
  for (let row = 0; row < count; row++) {
    if (random() > 0.05 || big[row] !== big[row]) continue
    wide.set(row, 9_007_199_254_740_993n + BigInt(row))
    big[row] = Number(wide.get(row))
  }
  const texts = (make: () => string) => textsFrom(Array.from({ length: count }, () => (random() < nulls ? null : make())))
  return {
    count,
    byName: new Map<string, Column>([
      ['number', { kind: 'number', values: values(() => random() * 1e9) }],
      ['whole', { kind: 'integer', values: big, wide }],
      ['text', texts(() => `ä ${random()} ${'x'.repeat(Math.floor(random() * 40))}`)],
      ['code', texts(() => `c${Math.floor(random() * 7)}`)],
      [
        'day',
        {
          kind: 'date',
          days: Int32Array.from(
            values(() => Math.floor(random() * 20_000)),
            (day) => (day === day ? day : noDay),
          ),
        },
      ],
      ['moment', { kind: 'timestamp', values: values(() => Math.floor(random() * 1.7e15)) }],
      [
        'flag',
        {
          kind: 'flag',
          values: Uint8Array.from(
            values(() => Math.floor(random() * 2)),
            (one) => (one === one ? one : noFlag),
          ),
        },
      ],
      ['price', { kind: 'decimal', scale: 2, values: values(() => Math.floor(random() * 1e9)) }],
      ['long_price', { kind: 'decimal', scale: 3, values: big.slice(), wide: new Map(wide) }],
      ['_seq', { kind: 'int', values: Float64Array.from({ length: count }, (_, row) => row + 1) }],
      ['_known_ts', { kind: 'long', values: BigInt64Array.from({ length: count }, (_, row) => 1_700_000_000_000_000_001n + BigInt(row)) }],
    ]),
  }
}

async function textsIn(path: string, names: readonly string[]): Promise<Record<string, (string | null)[]>> {
  const file = await openParquetColumns(path)
  const found: Record<string, (string | null)[]> = Object.fromEntries(names.map((name) => [name, []]))
  for await (const { count, byName } of file.read(names))
    for (const name of names) {
      const textAt = textsOf(byName.get(name)!)
      for (let row = 0; row < count; row++) found[name]!.push(textAt(row))
    }
  return found
}

const written = (rows: Columns) =>
  Object.fromEntries(
    columns.map(({ name }) => {
      const textAt = textsOf(rows.byName.get(name)!)
      return [name, Array.from({ length: rows.count }, (_, row) => textAt(row))]
    }),
  )

const names = columns.map(({ name }) => name)
const sizes = [0, 1, 9, 1_500, 140_000] as const

describe.each([0, 0.3, 1])('a Parquet file with a share of nulls of %d', (nulls) => {
  it.each(sizes)('of our own, of %i rows, is read as it was written', async (count) => {
    const rows = rowsBy(seed, count, nulls)
    const at = mkdtempSync(join(folder, 'own-'))
    const writer = await openParquet({ folder: at, columns })
    await writer.append(rows)
    await writer.finish()
    writer.close()
    expect(await textsIn(join(at, 'part-00001.parquet'), names)).toEqual(written(rows))
  })

  it.each(['snappy', 'zstd', 'gzip', 'uncompressed', 'brotli'])('that DuckDB has written again with %s is the same', async (codec) => {
    const rows = rowsBy(seed + 1, 3_000, nulls)
    const at = mkdtempSync(join(folder, 'duck-'))
    const writer = await openParquet({ folder: at, columns })
    await writer.append(rows)
    await writer.finish()
    writer.close()
    const db = await openDuckdb(':memory:')
    const out = join(at, 'again.parquet')
    await db.run(`COPY (SELECT * FROM '${at}/part-00001.parquet') TO '${out}' (FORMAT parquet, CODEC '${codec}', ROW_GROUP_SIZE 2048)`)
    db.close()
    expect(await textsIn(out, names)).toEqual(written(rows))
  })
})

it.each([0, 0.3])('values in delta encodings, a share of %d of them null, are read too', async (nulls) => {
  const rows = rowsBy(seed + 2, 20_000, nulls)
  const at = mkdtempSync(join(folder, 'delta-'))
  const writer = await openParquet({ folder: at, columns })
  await writer.append(rows)
  await writer.finish()
  writer.close()
  const db = await openDuckdb(':memory:')
  const out = join(at, 'delta.parquet')
  await db.run(`COPY (SELECT * FROM '${at}/part-00001.parquet') TO '${out}' (FORMAT parquet, PARQUET_VERSION v2, ROW_GROUP_SIZE 4096)`)
  db.close()
  expect(await textsIn(out, names)).toEqual(written(rows))
})

it('a codec that is not read is named, with what to do', async () => {
  const db = await openDuckdb(':memory:')
  const out = join(folder, 'lz4.parquet')
  await db.run(`COPY (SELECT 1000000 + range AS id FROM range(5000)) TO '${out}' (FORMAT parquet, CODEC 'lz4_raw')`)
  db.close()
  await expect(textsIn(out, ['id'])).rejects.toThrow('column id of')
})

it('moments without a zone say so', async () => {
  const db = await openDuckdb(':memory:')
  const out = join(folder, 'naive.parquet')
  await db.run(
    `COPY (SELECT TIMESTAMP '2026-01-31 10:00:00' AS at, TIMESTAMPTZ '2026-01-31 10:00:00+01' AS zoned) TO '${out}' (FORMAT parquet)`,
  )
  db.close()
  const { columns: found } = await openParquetColumns(out)
  expect(found).toEqual([
    { name: 'at', type: 'timestamp', withoutZone: true },
    { name: 'zoned', type: 'timestamp' },
  ])
  expect(await textsIn(out, ['zoned'])).toEqual({ zoned: ['2026-01-31T09:00:00Z'] })
})
