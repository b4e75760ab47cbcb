/** Rows for the tests of Parquet: chance ones, as columns on their way in and as DuckDB gives them back. */
import { DuckDBDateValue, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { noDay, type Column, type Columns } from '../utilities/values/columns.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'

export type Row = {
  readonly d: number | null
  readonly whole: number | null
  readonly i: number | null
  readonly b: number | null
  readonly l: bigint
  readonly day: number | null
  readonly t: string | null
}

export const nothing: Row = { d: null, whole: null, i: null, b: null, l: 0n, day: null, t: null }

export const columns: readonly SqlColumn[] = [
  { name: 'd', type: 'double' },
  { name: 'whole', type: 'double' },
  { name: 'i', type: 'integer' },
  { name: 'b', type: 'bigint' },
  { name: 'l', type: 'bigint' },
  { name: 'day', type: 'date' },
  { name: 't', type: { varchar: 65535 } },
  { name: 'nothing', type: 'double' },
  { name: 'silence', type: { varchar: 1 } },
  { name: 'n', type: 'bigint' },
]
export const types = ['DOUBLE', 'DOUBLE', 'INTEGER', 'BIGINT', 'BIGINT', 'DATE', 'VARCHAR', 'DOUBLE', 'VARCHAR', 'BIGINT']

const few = <T>(...values: T[]) => fc.constantFrom<T>(...values)

const anyRow: fc.Arbitrary<Row> = fc.record({
  d: fc.oneof(few(null, 0, -0, 5e-324, -5e-324, 1.7976931348623157e308, 397.667), fc.double({ noNaN: true })),
  whole: fc.oneof(few(null, -0, 2 ** 53), fc.maxSafeInteger()),
  i: fc.oneof(few(null, -0, 2 ** 31 - 1, -(2 ** 31)), fc.integer()),
  b: fc.oneof(few(null, 2 ** 53, -(2 ** 53), 2 ** 32, -(2 ** 32), 2 ** 31, -1), fc.maxSafeInteger()),
  l: fc.oneof(
    few(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 1_700_000_000_000_000_000n),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
  day: fc.oneof(few(null, -719_162, 2_932_896, 0), fc.integer({ min: -719_162, max: 2_932_896 })),
  t: fc.oneof(
    few(null, '', 'NULL', 'NY', 'CA', '10+ years', 'debt_consolidation', '🚗💳 日本語', 'x\0y', 'line\r\nline'),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.tuple(fc.nat(6), few('a', 'é', 'ab\n')).map(([size, text]) => text.repeat(10 ** size / 10)),
  ),
})

/** Rows with runs of the same, in batches of any size. */
export const anyBatches: fc.Arbitrary<Row[][]> = fc.array(
  fc
    .array(fc.tuple(anyRow, fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 30 }))), { maxLength: 12 })
    .map((runs) => runs.flatMap(([row, times]) => Array<Row>(times).fill(row))),
  { maxLength: 5 },
)

/** The columns in another order than the file has them; `n` counts from `before`. */
export function toColumns(rows: readonly Row[], before = 0): Columns {
  const bytes = Buffer.from(rows.map(({ t }) => t ?? '').join(''))
  let end = 0
  const bounds = rows.map(({ t }) => ({ start: t === null ? -1 : end, end: (end += Buffer.byteLength(t ?? '')) }))
  const numbers = (valueOf: (row: Row, at: number) => number | null) => Float64Array.from(rows, (row, at) => valueOf(row, at) ?? NaN)
  const none = new Int32Array(rows.length).fill(-1)
  const byName = new Map<string, Column>([
    ['n', { kind: 'int', values: numbers((_, at) => before + at) }],
    ['silence', { kind: 'text', bytes, starts: none, ends: none }],
    ['nothing', { kind: 'number', values: numbers(() => null) }],
    ['t', { kind: 'text', bytes, starts: Int32Array.from(bounds, ({ start }) => start), ends: Int32Array.from(bounds, ({ end }) => end) }],
    ['day', { kind: 'date', days: Int32Array.from(rows, ({ day }) => day ?? noDay) }],
    ['l', { kind: 'long', values: BigInt64Array.from(rows, ({ l }) => l) }],
    ['b', { kind: 'number', values: numbers(({ b }) => b) }],
    ['i', { kind: 'int', values: numbers(({ i }) => i) }],
    ['whole', { kind: 'int', values: numbers(({ whole }) => whole) }],
    ['d', { kind: 'number', values: numbers(({ d }) => d) }],
  ])
  return { count: rows.length, byName }
}

const wide = (value: number | null) => (value === null ? null : BigInt(value))

/** As DuckDB has it: -0 stays -0 where the column is of doubles. */
export const expected = ({ d, whole, i, b, l, day, t }: Row, at: number) => [
  d,
  whole,
  i === null ? null : i + 0,
  wide(b),
  l,
  day,
  t,
  null,
  null,
  BigInt(at),
]

export type Read = { readonly names: readonly string[]; readonly types: readonly string[]; readonly rows: unknown[][] }

/** Dates come as days. */
export async function duckdb(sql: string): Promise<Read> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    const result = await connection.runAndReadAll(sql)
    const rows = result.getRows().map((row) => row.map((cell) => (cell instanceof DuckDBDateValue ? cell.days : cell)))
    return { names: result.columnNames(), types: result.columnTypes().map(String), rows }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
