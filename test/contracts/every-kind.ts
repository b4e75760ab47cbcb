/** Rows with a field and a feature of every kind, as plain values and as columns: what warehouses and files are asked to give back. */
import fc from 'fast-check'
import {
  noDay,
  noFlag,
  putWhole,
  wholeAt,
  type Column,
  type Columns,
  type DecimalColumn,
  type IntegerColumn,
  type TimestampColumn,
} from '../../utilities/values/columns.ts'
import { firstMicros, lastMicros } from '../../utilities/values/timestamp.ts'
import type { Layout, SqlColumn } from '../../utilities/warehouse.ts'

/** A decimal is a whole number of its last digit, a moment one of microseconds. */
type Values = {
  readonly number: number
  readonly whole: bigint
  readonly money: bigint
  readonly huge: bigint
  readonly day: number
  readonly moment: bigint
  readonly flag: boolean
  readonly text: string
}
export type AnyRow = { readonly [name in keyof Values]: Values[name] | null }

const types: { readonly [name in keyof Values]: SqlColumn['type'] } = {
  number: 'double',
  whole: 'bigint',
  money: { digits: 12, scale: 2 },
  huge: { digits: 38, scale: 10 },
  day: 'date',
  moment: 'timestamp',
  flag: 'boolean',
  text: { varchar: 200 },
}
const names = Object.keys(types) as (keyof Values)[]

export const anyColumns: readonly SqlColumn[] = names.map((name) => ({ name: `${name}_field`, type: types[name] }))
const features: readonly SqlColumn[] = names.map((name) => ({ name: `${name}_feature`, type: types[name] }))

export const anyLayout: Layout = {
  set: 'anything',
  record: anyColumns,
  features,
  leading: features.length,
  per: [],
  at: 'day_field',
  versions: [{ version: 0, shows: [...anyColumns, ...features].map(({ name }) => name) }],
  chain: [0],
}

const most = (digits: number) => 10n ** BigInt(digits) - 1n
const decimals = (digits: number, ...odd: readonly bigint[]) =>
  fc.oneof(
    fc.bigInt(-most(digits), most(digits)),
    fc.bigInt(-1000n, 1000n),
    fc.constantFrom(most(digits), -most(digits), 0n, 1n, -1n, ...odd),
  )

export const anyRow: fc.Arbitrary<AnyRow> = fc.record({
  number: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => (one === 0 ? 0 : one))),
  whole: fc.option(
    fc.oneof(
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 31n, 0n, -1n),
    ),
  ),
  money: fc.option(decimals(12)),
  huge: fc.option(decimals(38, 10n ** 15n, 10n ** 15n - 1n, -(10n ** 15n), 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n)),
  day: fc.option(fc.oneof(fc.integer({ min: -719_162, max: 2_932_896 }), fc.constantFrom(-719_162, 2_932_896, 0))),
  moment: fc.option(
    fc.oneof(
      fc.bigInt(firstMicros, lastMicros),
      fc.constantFrom(firstMicros, lastMicros, 0n, -1n, 1_204_286_096_789_000n, 1_204_286_096_000_000n, 2n ** 53n + 1n),
    ),
  ),
  flag: fc.option(fc.boolean()),
  text: fc.option(fc.constantFrom('', 'NULL', '🌊', "it's", '2008-02-29', '12.50', 'true')),
})

/** Columns of the rows under these names; `_seq` counts from 1. */
export function anyToColumns(rows: readonly AnyRow[]): Columns {
  const of = (suffix: string) => names.map((name) => [`${name}_${suffix}`, columnOf(name, rows)] as const)
  return {
    count: rows.length,
    byName: new Map<string, Column>([
      ...of('field'),
      ...of('feature'),
      ['_modified_ts', { kind: 'long', values: new BigInt64Array(rows.length).fill(1_700_000_000_000_000_001n) }],
      ['_version', { kind: 'int', values: new Float64Array(rows.length) }],
      ['_seq', { kind: 'int', values: Float64Array.from(rows, (_, row) => row + 1) }],
    ]),
  }
}

function columnOf(name: keyof Values, rows: readonly AnyRow[]): Column {
  const wholes = () => {
    const column = { values: new Float64Array(rows.length).fill(NaN), wide: new Map<number, bigint>() }
    for (const [row, values] of rows.entries()) if (values[name] !== null) putWhole(column.values, column.wide, row, values[name] as bigint)
    return column
  }
  switch (name) {
    case 'number':
      return { kind: 'number', values: Float64Array.from(rows, (row) => row.number ?? NaN) }
    case 'whole':
      return { kind: 'integer', ...wholes() }
    case 'money':
      return { kind: 'decimal', scale: 2, ...wholes() }
    case 'huge':
      return { kind: 'decimal', scale: 10, ...wholes() }
    case 'day':
      return { kind: 'date', days: Int32Array.from(rows, (row) => row.day ?? noDay) }
    case 'moment':
      return { kind: 'timestamp', ...wholes() }
    case 'flag':
      return { kind: 'flag', values: Uint8Array.from(rows, (row) => (row.flag === null ? noFlag : Number(row.flag))) }
    case 'text': {
      const texts = rows.map(({ text }) => Buffer.from(text ?? ''))
      let end = 0
      const ends = Int32Array.from(texts, ({ length }) => (end += length))
      const starts = ends.map((one, row) => (rows[row]!.text === null ? -1 : one - texts[row]!.length))
      return { kind: 'text', bytes: Buffer.concat(texts), starts, ends }
    }
  }
}

/** What the columns of that suffix say of each row. */
export const anyFrom = ({ byName, count }: Columns, suffix: 'field' | 'feature'): AnyRow[] =>
  Array.from({ length: count }, (_, row) => {
    const column = <Kind extends Column['kind']>(name: keyof Values) => byName.get(`${name}_${suffix}`) as Extract<Column, { kind: Kind }>
    const whole = (name: keyof Values) => wholeAt(column<(IntegerColumn | DecimalColumn | TimestampColumn)['kind']>(name), row)
    const number = column<'number'>('number').values[row]!
    const day = column<'date'>('day').days[row]!
    const flag = column<'flag'>('flag').values[row]!
    const { bytes, starts, ends } = column<'text'>('text')
    return {
      number: Number.isNaN(number) ? null : number,
      whole: whole('whole'),
      money: whole('money'),
      huge: whole('huge'),
      day: day === noDay ? null : day,
      moment: whole('moment'),
      flag: flag === noFlag ? null : flag === 1,
      text: starts[row]! < 0 ? null : Buffer.from(bytes.subarray(starts[row], ends[row])).toString(),
    }
  })
