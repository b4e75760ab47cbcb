/** Parquet in folders: every row in the folder of its value, under the names that others take back, in order. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noDay, noFlag, type Column } from '../utilities/values/columns.ts'
import { firstMicros, lastMicros } from '../utilities/values/timestamp.ts'
import { openParquet } from '../utilities/parquet/write.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'
import { freshFolder } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'
import { columns, duckdb, nothing, toColumns, type Row } from './parquet-rows.ts'

async function partitioned(batches: readonly (readonly Row[])[], partitionBy: string, rowsPerFile?: number): Promise<string> {
  const folder = freshFolder()
  const writer = await openParquet({ folder, columns, partitionBy, ...(rowsPerFile === undefined ? {} : { rowsPerFile }) })
  try {
    let before = 0
    for (const batch of batches) {
      await writer.append(toColumns(batch, before))
      before += batch.length
    }
    await writer.finish()
  } finally {
    writer.close()
  }
  return folder
}

/** What DuckDB calls the folders of these values. */
async function namedByDuckdb(literals: readonly string[], type: string): Promise<string[]> {
  const folder = join(freshFolder(), 'theirs')
  await duckdb(
    `COPY (SELECT CAST(unnest([${literals.join(', ')}]) AS ${type}) AS c, 1 AS one) TO '${folder}' (FORMAT parquet, PARTITION_BY (c))`,
  )
  // Before 1.5 it had a name of its own for no value.
  return readdirSync(folder)
    .map((name) => (name === 'c=NULL' ? 'c=__HIVE_DEFAULT_PARTITION__' : name))
    .toSorted()
}

async function namedByUs(type: SqlColumn['type'], column: Column, count: number): Promise<string[]> {
  const folder = freshFolder()
  const writer = await openParquet({
    folder,
    columns: [
      { name: 'c', type },
      { name: 'one', type: 'integer' },
    ],
    partitionBy: 'c',
  })
  await writer.append({
    count,
    byName: new Map<string, Column>([
      ['c', column],
      ['one', { kind: 'int', values: new Float64Array(count).fill(1) }],
    ]),
  })
  await writer.finish()
  return readdirSync(folder).toSorted()
}

describe('Parquet in folders', () => {
  const value = fc
    .oneof(fc.constantFrom(null, '', 'NY', 'CA', 'ny', 'a b/c%é=~.-_*:"\'\\x', '..', '🚗'), fc.string({ unit: 'grapheme', maxLength: 12 }))
    .filter((text) => text === null || (text.toUpperCase() !== 'NULL' && text.isWellFormed()))
  const valueBatches = fc.array(fc.array(value, { maxLength: 30 }), { minLength: 1, maxLength: 4 })

  it(
    'have every row in the folder of its value, in order, in parts of so many rows',
    () =>
      fc.assert(
        fc.asyncProperty(valueBatches, fc.integer({ min: 1, max: 40 }), async (batches, rowsPerFile) => {
          const folder = await partitioned(
            batches.map((batch) => batch.map((t, at) => ({ ...nothing, t, i: at }))),
            't',
            rowsPerFile,
          )
          const values = batches.flat()
          expect(readdirSync(folder)).toHaveLength(new Set(values).size)
          if (values.length === 0) return
          const how = `hive_partitioning = true, hive_types = {'t': VARCHAR}, filename = true, file_row_number = true`
          // DuckDB before 1.5 reads the name itself; others, and DuckDB since, read null anyway.
          const { rows } = await duckdb(
            `SELECT nullif(t, '__HIVE_DEFAULT_PARTITION__'), n, filename FROM read_parquet('${folder}/**/*.parquet', ` +
              `${how}) ORDER BY filename, file_row_number`,
          )
          expect(rows.toSorted((a, b) => Number(a[1]) - Number(b[1])).map(([t, n, file]) => [t, n, String(file).slice(-18)])).toEqual(
            values.map((t, at) => [t, BigInt(at), `part-${String(Math.floor(at / rowsPerFile) + 1).padStart(5, '0')}.parquet`]),
          )
          for (const [at, [, n, file]] of rows.entries()) if (at > 0 && rows[at - 1]![2] === file) expect(n! > rows[at - 1]![1]!).toBe(true)
        }),
        { numRuns: 40 },
      ),
    limitMs,
  )

  it('leave the column out of the files', async () => {
    const folder = await partitioned([[{ ...nothing, t: 'NY' }]], 't')
    const { names } = await duckdb(`SELECT * FROM read_parquet('${join(folder, 't=NY', 'part-00001.parquet')}', hive_partitioning = false)`)
    expect(names).toEqual(columns.map(({ name }) => name).filter((name) => name !== 't'))
  })

  it('are named as DuckDB names them: doubles, days, whole numbers, odd texts and names', async () => {
    const doubles = [
      0,
      1,
      1e15,
      1e16,
      1e17,
      1e-4,
      1e-5,
      1e21,
      5e-324,
      123456.789,
      -1.2345678901234567e19,
      999999999999999.9,
      2 ** 53,
      0.1,
      -397.667,
    ]
    expect(await namedByUs('double', { kind: 'number', values: Float64Array.from([...doubles, NaN]) }, doubles.length + 1)).toEqual(
      await namedByDuckdb([...doubles.map((one) => one.toExponential()), 'NULL'], 'DOUBLE'),
    )
    expect(await namedByUs('date', { kind: 'date', days: Int32Array.of(0, -719_162, 2_932_896, noDay) }, 4)).toEqual(
      await namedByDuckdb(["'1970-01-01'", "'0001-01-01'", "'9999-12-31'", 'NULL'], 'DATE'),
    )
    expect(await namedByUs('bigint', { kind: 'long', values: BigInt64Array.of(-(2n ** 63n), 7n) }, 2)).toEqual(
      await namedByDuckdb([`'${-(2n ** 63n)}'`, "'7'"], 'BIGINT'),
    )
    expect(await namedByUs('integer', { kind: 'int', values: Float64Array.of(-5, 0) }, 2)).toEqual(
      await namedByDuckdb(['-5', '0'], 'INTEGER'),
    )
    const moments = [0n, -1n, firstMicros, lastMicros, 1_204_286_096_500_000n]
    const wide = new Map(moments.entries())
    expect(await namedByUs('timestamp', { kind: 'timestamp', values: Float64Array.from(moments, Number), wide }, 5)).toEqual(
      await namedByDuckdb(
        moments.map((one) => `make_timestamp(${one})`),
        'TIMESTAMP',
      ),
    )
    expect(await namedByUs('boolean', { kind: 'flag', values: Uint8Array.of(1, 0, noFlag) }, 3)).toEqual(
      await namedByDuckdb(['true', 'false', 'NULL'], 'BOOLEAN'),
    )
    expect(await namedByUs({ digits: 5, scale: 2 }, { kind: 'decimal', scale: 2, values: Float64Array.of(5, -100, 12_345) }, 3)).toEqual(
      await namedByDuckdb(['0.05', '-1', '123.45'], 'DECIMAL(5, 2)'),
    )
    const text = '!*()\'"\\ %/=é~.-_🚗'
    const bytes = Buffer.from(text)
    expect(
      await namedByUs({ varchar: 99 }, { kind: 'text', bytes, starts: Int32Array.of(0), ends: Int32Array.of(bytes.length) }, 1),
    ).toEqual(await namedByDuckdb([`'${text.replaceAll("'", "''")}'`], 'VARCHAR'))
  })

  it('of rows without a value have the name that Hive, Spark, PyArrow and Polars read as null', async () => {
    const folder = await partitioned(
      [
        [
          { ...nothing, t: null },
          { ...nothing, t: 'NY' },
        ],
      ],
      't',
    )
    expect(readdirSync(folder).toSorted()).toEqual(['t=NY', 't=__HIVE_DEFAULT_PARTITION__'])
  })

  it('of -0 and 0 are two, so that neither is lost', async () => {
    const folder = await partitioned(
      [
        [
          { ...nothing, d: -0 },
          { ...nothing, d: 0 },
        ],
      ],
      'd',
    )
    expect(readdirSync(folder).toSorted()).toEqual(['d=-0.0', 'd=0.0'])
  })

  it('are refused when they would be too many, or when a text would be taken for null, and nothing is written then', async () => {
    const folder = freshFolder()
    const many = await openParquet({ folder, columns, partitionBy: 'n' })
    await many.append(toColumns(Array<Row>(10_001).fill(nothing)))
    await expect(many.finish()).rejects.toThrow(
      'n has 10001 different values, and each would be a folder. Partition by a column with at most 10000.',
    )
    many.close()
    const words = await openParquet({ folder, columns, partitionBy: 't' })
    await words.append(
      toColumns([
        { ...nothing, t: 'x' },
        { ...nothing, t: 'Null' },
      ]),
    )
    await expect(words.finish()).rejects.toThrow(
      't holds the text Null, which as the name of a folder stands for no value. Partition by another column.',
    )
    words.close()
    const sentinel = await openParquet({ folder, columns, partitionBy: 't' })
    await sentinel.append(toColumns([{ ...nothing, t: '__HIVE_DEFAULT_PARTITION__' }]))
    await expect(sentinel.finish()).rejects.toThrow(
      't holds the text __HIVE_DEFAULT_PARTITION__, which as the name of a folder stands for no value',
    )
    sentinel.close()
    expect(readdirSync(folder)).toEqual([])
  })

  it(
    'may be as many as ten thousand',
    async () => {
      const folder = await partitioned([Array<Row>(9_999).fill(nothing), Array<Row>(2).fill(nothing)], 'n', 10_000)
      expect(readdirSync(folder)).toHaveLength(10_001)
      expect(existsSync(join(folder, 'n=10000', 'part-00002.parquet'))).toBe(true)
    },
    limitMs,
  )

  it('never write over what is there', async () => {
    const folder = freshFolder()
    mkdirSync(join(folder, 't=x'))
    writeFileSync(join(folder, 't=x', 'part-00001.parquet'), '')
    const writer = await openParquet({ folder, columns, partitionBy: 't' })
    await writer.append(toColumns([{ ...nothing, t: 'x' }]))
    await expect(writer.finish()).rejects.toThrow(/^the Parquet files cannot be written \(EEXIST/)
    writer.close()
  })
})
