/** Parquet files: every value comes back from another reader exactly, whatever it is and however the rows came. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Column, Columns } from '../utilities/values/columns.ts'
import { parquetFile } from '../utilities/parquet/file.ts'
import { openParquet } from '../utilities/parquet/write.ts'
import { Problem } from '../utilities/values/problem.ts'
import { parquetOf } from '../utilities/redshift/staging.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'
import { freshFolder } from './cli-run.ts'
import { anyColumns, anyRow, anyToColumns, type AnyRow } from './contracts/every-kind.ts'
import { limitMs } from './loan-folders.ts'
import { anyBatches, columns, duckdb, expected, nothing, toColumns, types, type Row } from './parquet-rows.ts'

type Cut = { readonly rows: Columns; readonly from?: number; readonly end?: number }

function bytesOf(described: readonly SqlColumn[], cuts: readonly Cut[], sizes: { readonly rowsPerGroup?: number } = {}): Buffer {
  const bytes: Uint8Array[] = []
  const file = parquetFile(described, (more) => bytes.push(more), sizes)
  for (const { rows, from, end } of cuts) file.append(rows, from, end)
  file.finish()
  return Buffer.concat(bytes)
}

function stored(bytes: Uint8Array): string {
  const path = join(freshFolder(), 'rows.parquet')
  writeFileSync(path, bytes)
  return path
}

const numberedBatches = (batches: readonly Row[][]): Columns[] => {
  let before = 0
  return batches.map((batch) => {
    before += batch.length
    return toColumns(batch, before - batch.length)
  })
}

/** A column for each of these functions of the row's number. */
const numbers = (count: number, byName: Record<string, (row: number) => number>): Columns => ({
  count,
  byName: new Map(Object.entries(byName).map(([name, valueOf]) => [name, { kind: 'number', values: valuesBy(count, valueOf) }])),
})
const valuesBy = (count: number, valueOf: (row: number) => number) => Float64Array.from({ length: count }, (_, row) => valueOf(row))

const pagesOf = async (path: string, column: string) =>
  (
    await duckdb(
      `SELECT row_group_id, encodings, compression FROM parquet_metadata('${path}') WHERE path_in_schema = '${column}' ORDER BY 1`,
    )
  ).rows
const byIndex = 'PLAIN, RLE, RLE_DICTIONARY'
const asTheyCome = 'PLAIN, RLE'

describe('a Parquet file', () => {
  it(
    'has every value again, in row groups of any size',
    () =>
      fc.assert(
        fc.asyncProperty(anyBatches, fc.integer({ min: 1, max: 60 }), async (batches, rowsPerGroup) => {
          const path = stored(
            bytesOf(
              columns,
              numberedBatches(batches).map((rows) => ({ rows })),
              { rowsPerGroup },
            ),
          )
          const found = await duckdb(`SELECT * FROM '${path}'`)
          expect(found.names).toEqual(columns.map(({ name }) => name))
          expect(found.types).toEqual(types)
          expect(found.rows).toEqual(batches.flat().map(expected))
        }),
        { numRuns: 60 },
      ),
    limitMs,
  )

  it(
    'is the same bytes however the rows are cut',
    () =>
      fc.assert(
        fc.property(
          anyBatches,
          fc.array(fc.nat(100), { maxLength: 10 }),
          fc.integer({ min: 1, max: 60 }),
          (batches, cuts, rowsPerGroup) => {
            const rows = batches.flat()
            const all = toColumns(rows)
            const bounds = [0, ...cuts.filter((at) => at < rows.length).toSorted((a, b) => a - b), rows.length]
            const ranges = bounds.slice(1).map((end, i) => ({ rows: all, from: bounds[i]!, end }))
            const whole = bytesOf(columns, [{ rows: all }], { rowsPerGroup })
            expect(bytesOf(columns, ranges, { rowsPerGroup }).equals(whole)).toBe(true)
            expect(
              bytesOf(
                columns,
                numberedBatches(batches).map((batch) => ({ rows: batch })),
                { rowsPerGroup },
              ).equals(whole),
            ).toBe(true)
          },
        ),
        { numRuns: 60 },
      ),
    limitMs,
  )

  it(
    'drops a dictionary that stops paying in the middle of a row group, wherever that is',
    () =>
      fc.assert(
        fc.asyncProperty(fc.nat(30_000), fc.integer({ min: 1, max: 5_000 }), async (repeating, distinct) => {
          const count = 90_000
          const valueOf = (row: number) => (row % 7 === 0 ? NaN : row < repeating ? row % distinct : row + 0.5)
          const text = Buffer.from(Array.from({ length: count }, (_, row) => String(valueOf(row)).padStart(12)).join(''))
          const starts = Int32Array.from({ length: count }, (_, row) => (row % 5 === 0 ? -1 : row * 12))
          const { byName } = numbers(count, { d: valueOf, n: (row) => row, few: (row) => Math.trunc(row / 100) })
          const texts: Column = { kind: 'text', bytes: text, starts, ends: starts.map((start) => start + 12) }
          const rows: Columns = { count, byName: new Map([...byName, ['t', texts]]) }
          const described: SqlColumn[] = [
            { name: 'd', type: 'double' },
            { name: 't', type: { varchar: 40 } },
            { name: 'n', type: 'bigint' },
            { name: 'few', type: 'integer' },
          ]
          const whole = bytesOf(described, [{ rows }])
          expect(
            bytesOf(described, [
              { rows, end: 33_333 },
              { rows, from: 33_333 },
            ]).equals(whole),
          ).toBe(true)
          const path = stored(whole)
          for (const name of ['d', 't', 'n']) expect((await pagesOf(path, name)).map(([, how]) => how)).toEqual([asTheyCome])
          expect((await pagesOf(path, 'few')).map(([, how]) => how)).toEqual([byIndex])
          const found = await duckdb(`SELECT d, t, n, few FROM '${path}'`)
          const textOf = (row: number) => (row % 5 === 0 ? null : String(valueOf(row)).padStart(12))
          const wrong = found.rows.findIndex(
            ([d, t, n, some], row) =>
              !Object.is(d ?? NaN, valueOf(row)) || t !== textOf(row) || n !== BigInt(row) || some !== Math.trunc(row / 100),
          )
          expect([found.rows.length, wrong]).toEqual([count, -1])
        }),
        { numRuns: 4 },
      ),
    limitMs,
  )

  it('tries a dictionary no more in a file of which two row groups had none, and says least and most of whole numbers and days', async () => {
    const count = 70_000
    const rows = numbers(count, { mixed: (row) => (row < 60_000 ? row : row % 10), same: () => 7, day: (row) => row })
    const days: Column = {
      kind: 'date',
      days: Int32Array.from({ length: count }, (_, row) => (row === 3 ? -0x80000000 : 10_000 - (row % 100))),
    }
    const described: SqlColumn[] = [
      { name: 'mixed', type: 'bigint' },
      { name: 'same', type: 'double' },
      { name: 'day', type: 'date' },
    ]
    const all: Columns = { count, byName: new Map([...rows.byName, ['day', days]]) }
    const bytes = bytesOf(described, [{ rows: all }], { rowsPerGroup: 20_000 })
    const path = stored(bytes)
    expect((await pagesOf(path, 'mixed')).map(([, how]) => how)).toEqual([asTheyCome, asTheyCome, asTheyCome, asTheyCome])
    const two: Uint8Array[] = []
    const again = parquetFile(described, (more) => two.push(more), { rowsPerGroup: 20_000 })
    for (let file = 0; file < 2; file++) {
      again.append(all)
      expect(again.rows).toBe(count)
      again.finish()
    }
    expect(Buffer.concat(two).equals(Buffer.concat([bytes, bytes]))).toBe(true)
    expect((await pagesOf(path, 'same')).map(([, how]) => how)).toEqual(Array(4).fill(byIndex))
    const said = await duckdb(`SELECT row_group_num_rows, path_in_schema, stats_min_value, stats_max_value, stats_null_count
      FROM parquet_metadata('${path}') WHERE row_group_id IN (0, 3) ORDER BY row_group_id, 2`)
    expect(said.rows).toEqual([
      [20_000n, 'day', '1997-02-09', '1997-05-19', 1n],
      [20_000n, 'mixed', '0', '19999', 0n],
      [20_000n, 'same', null, null, 0n],
      [10_000n, 'day', '1997-02-09', '1997-05-19', 0n],
      [10_000n, 'mixed', '0', '9', 0n],
      [10_000n, 'same', null, null, 0n],
    ])
    expect((await duckdb(`SELECT count(*) FROM '${path}' WHERE mixed = 59999 AND day < DATE '1997-05-19'`)).rows).toEqual([[1n]])
  })

  it('takes negative numbers as less than others when it says least and most', async () => {
    const path = stored(
      bytesOf([{ name: 'l', type: 'bigint' }], [{ rows: numbers(4, { l: (row) => [2 ** 40, -(2 ** 53), 2 ** 32 - 1, -1][row]! }) }]),
    )
    expect((await duckdb(`SELECT stats_min_value, stats_max_value FROM parquet_metadata('${path}')`)).rows).toEqual([
      [String(-(2 ** 53)), String(2 ** 40)],
    ])
  })

  it(
    'takes a few bytes for columns that never change, and cuts long texts into pages and row groups',
    async () => {
      const count = 3_000
      const long = Buffer.alloc(100_000 + count, 'long text ')
      const starts = Int32Array.from({ length: count }, (_, row) => (row % 10 === 9 ? -1 : 0))
      const alike: Columns = {
        count,
        byName: new Map([['t', { kind: 'text', bytes: long, starts, ends: new Int32Array(count).fill(100_000) }]]),
      }
      const t: SqlColumn[] = [{ name: 't', type: { varchar: 65535 } }]
      const once = bytesOf(t, [{ rows: alike }])
      expect(once.length).toBeLessThan(50_000)
      const path = stored(once)
      // As they come they would be 270 MB.
      expect((await duckdb(`SELECT DISTINCT row_group_num_rows FROM parquet_metadata('${path}') ORDER BY 1`)).rows).toEqual([
        [952n],
        [2_048n],
      ])
      expect((await duckdb(`SELECT count(*), count(t), count(DISTINCT t), min(length(t)) FROM '${path}'`)).rows).toEqual([
        [3_000n, 2_700n, 1n, 100_000n],
      ])

      const shifted: Column = {
        kind: 'text',
        bytes: long,
        starts: starts.map((start, row) => (start < 0 ? start : row)),
        ends: Int32Array.from(starts, (_, row) => 100_000 - row),
      }
      const pages = stored(bytesOf(t, [{ rows: { count: 200, byName: new Map([['t', shifted]]) } }]))
      const found = await duckdb(`SELECT t FROM '${pages}'`)
      expect(found.rows.flat()).toEqual(
        Array.from({ length: 200 }, (_, row) => (row % 10 === 9 ? null : long.toString('latin1', row, 100_000 - row))),
      )
      expect((await pagesOf(pages, 't')).map(([, how]) => how)).toEqual([asTheyCome])

      const same = bytesOf([{ name: 'same', type: 'double' }], [{ rows: numbers(300_000, { same: () => 0.1 }) }])
      expect(same.length).toBeLessThan(600)
    },
    limitMs,
  )

  const readBack = (path: string) =>
    duckdb(`SELECT number_field, whole_field, money_field::VARCHAR, huge_field::VARCHAR, day_field, epoch_us(moment_field), flag_field,
      text_field FROM '${path}'`)
  const asRead = ({ number, whole, money, huge, day, moment, flag, text }: AnyRow) => [number, whole, money, huge, day, moment, flag, text]
  const unscaled = (cell: unknown) => (cell === null ? null : BigInt((cell as string).replace('.', '')))

  it(
    'has fields of every kind to the last digit, in row groups of any size',
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(anyRow, { maxLength: 20 }), { maxLength: 4 }),
          fc.integer({ min: 1, max: 30 }),
          async (batches, rowsPerGroup) => {
            const bytes = bytesOf(
              anyColumns,
              batches.map((rows) => ({ rows: anyToColumns(rows) })),
              { rowsPerGroup },
            )
            const rows = batches.flat()
            expect(bytesOf(anyColumns, [{ rows: anyToColumns(rows) }], { rowsPerGroup }).equals(bytes)).toBe(true)
            const path = stored(bytes)
            const found = (await readBack(path)).rows.map(([number, whole, money, huge, ...others]) => [
              number,
              whole,
              unscaled(money),
              unscaled(huge),
              ...others,
            ])
            expect(found).toEqual(rows.map(asRead))
            expect((await duckdb(`SELECT * FROM '${path}' LIMIT 0`)).types).toEqual([
              'DOUBLE',
              'BIGINT',
              'DECIMAL(12,2)',
              'DECIMAL(38,10)',
              'DATE',
              'TIMESTAMP WITH TIME ZONE',
              'BOOLEAN',
              'VARCHAR',
            ])
          },
        ),
        { numRuns: 40 },
      ),
    limitMs,
  )

  it('has many wide decimals, moments and flags of one row group', async () => {
    const count = 140_000
    const whole = (row: number) => BigInt(row) * 10n ** 30n + BigInt(row)
    const described: SqlColumn[] = [
      { name: 'huge', type: { digits: 38, scale: 0 } },
      { name: 'moment', type: 'timestamp' },
      { name: 'flag', type: 'boolean' },
    ]
    const values = valuesBy(count, (row) => Number(whole(row)))
    const wide = new Map(Array.from({ length: count }, (_, row) => [row, whole(row)]))
    const byName = new Map<string, Column>([
      ['huge', { kind: 'decimal', scale: 0, values, wide }],
      ['moment', { kind: 'timestamp', values: valuesBy(count, (row) => row * 1_000_001) }],
      ['flag', { kind: 'flag', values: Uint8Array.from({ length: count }, (_, row) => row % 3) }],
    ])
    const path = stored(bytesOf(described, [{ rows: { count, byName } }]))
    const found = await duckdb(`SELECT huge::VARCHAR, epoch_us(moment), flag FROM '${path}'`)
    const wrong = found.rows.findIndex(
      ([huge, moment, flag], row) =>
        huge !== String(whole(row)) || moment !== BigInt(row * 1_000_001) || flag !== (row % 3 === 2 ? null : row % 3 === 1),
    )
    expect([found.rows.length, wrong]).toEqual([count, -1])
  })

  it.each<[string, SqlColumn['type'], Column, string]>([
    ['a fraction', 'bigint', { kind: 'number', values: Float64Array.of(1.5) }, '1.5 is no bigint'],
    ['a number beyond its range', 'integer', { kind: 'int', values: Float64Array.of(2 ** 31) }, '2147483648 is no integer'],
    ['a long beyond its range', 'integer', { kind: 'long', values: BigInt64Array.of(-(2n ** 31n) - 1n) }, '-2147483649 is no integer'],
    ['another kind', 'date', { kind: 'number', values: Float64Array.of(1) }, 'a column of numbers cannot be written as "date"'],
    [
      'a decimal of another scale',
      { digits: 9, scale: 2 },
      { kind: 'decimal', scale: 3, values: Float64Array.of(1) },
      'a column of decimals cannot be written as {"digits":9,"scale":2}',
    ],
    [
      'a wide decimal of another scale',
      { digits: 30, scale: 2 },
      { kind: 'decimal', scale: 3, values: Float64Array.of(1) },
      'a column of decimals cannot be written as {"digits":30,"scale":2}',
    ],
    [
      'a decimal beyond its range',
      { digits: 9, scale: 0 },
      { kind: 'decimal', scale: 0, values: Float64Array.of(1e20), wide: new Map([[0, 10n ** 20n]]) },
      '100000000000000000000 is no bigint',
    ],
    ['no flag', 'boolean', { kind: 'number', values: Float64Array.of(1) }, 'a column of numbers cannot be written as "boolean"'],
    ['no text', { varchar: 4 }, { kind: 'date', days: Int32Array.of(1) }, 'a column of dates cannot be written as text'],
  ])('refuses %s in a column that cannot hold it', (_, type, column, message) =>
    expect(() => bytesOf([{ name: 'c', type }], [{ rows: { count: 1, byName: new Map([['c', column]]) } }])).toThrow(message),
  )

  it('is what rows go to Redshift as: the same rows, the same bytes, without a file', async () => {
    const rows = toColumns([{ d: 0.1, whole: 1, i: 2, b: 3, l: 4n, day: 5, t: 'six' }, nothing])
    const declared = {
      n: 'BIGINT',
      silence: 'VARCHAR(1)',
      nothing: 'DOUBLE PRECISION',
      t: 'VARCHAR(64)',
      day: 'DATE',
      l: 'BIGINT',
      b: 'BIGINT',
      i: 'INTEGER',
      whole: 'DOUBLE PRECISION',
      d: 'DOUBLE PRECISION',
    }
    const table = Object.entries(declared)
      .map(([name, type]) => ({ name, type }))
      .toReversed()
    const [file, ...others] = await parquetOf(rows, table)
    expect(others).toEqual([])
    expect((await parquetOf(rows, table))[0]).toEqual(file)
    const found = await duckdb(`SELECT * FROM '${stored(file!)}'`)
    expect(found.names).toEqual(Object.keys(declared))
    expect(found.rows).toEqual([
      [0n, null, null, 'six', 5, 4n, 3n, 2, 1, 0.1],
      [1n, null, null, null, null, 0n, null, null, null, null],
    ])
  })
})

describe('a Parquet writer', () => {
  it(
    'keeps every value and cuts files to size, however the rows come',
    () =>
      fc.assert(
        fc.asyncProperty(anyBatches, fc.integer({ min: 1, max: 50 }), async (batches, rowsPerFile) => {
          const folder = freshFolder()
          const writer = await openParquet({ folder, columns, rowsPerFile })
          for (const batch of numberedBatches(batches)) await writer.append(batch)
          await writer.finish()
          writer.close()
          const rows = batches.flat()
          const files = Array.from(
            { length: Math.max(1, Math.ceil(rows.length / rowsPerFile)) },
            (_, i) => `part-${String(i + 1).padStart(5, '0')}.parquet`,
          )
          expect(readdirSync(folder).toSorted()).toEqual(files)
          const all = toColumns(rows)
          for (const [i, file] of files.entries()) {
            const part = { rows: all, from: i * rowsPerFile, end: Math.min(rows.length, (i + 1) * rowsPerFile) }
            expect(readFileSync(join(folder, file)).equals(bytesOf(columns, [part]))).toBe(true)
          }
          const found = await duckdb(`SELECT * FROM '${join(folder, '*.parquet')}' ORDER BY n`)
          expect(found.types).toEqual(types)
          expect(found.rows).toEqual(rows.map(expected))
        }),
        { numRuns: 25 },
      ),
    limitMs,
  )

  it('says what is wrong when a file cannot be written, and can be closed then', async () => {
    const folder = freshFolder()
    writeFileSync(join(folder, 'part-00002.parquet'), '')
    for (const gone of [join(folder, 'gone'), folder]) {
      const writer = await openParquet({ folder: gone, columns, rowsPerFile: 1 })
      const writing = (async () => {
        await writer.append(toColumns(Array<Row>(2).fill(nothing)))
        await writer.finish()
      })()
      await expect(writing).rejects.toThrow(Problem)
      await expect(writing).rejects.toThrow(
        /^the Parquet files cannot be written \((ENOENT|EEXIST): .*\)\. Check the folder given to --out and the space left/,
      )
      writer.close()
    }
  })
})
