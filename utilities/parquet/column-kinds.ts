/** What a column of a Parquet file is here: its type, how its values are read, and the column that they become. */
import { noDay, noFlag, type Column } from '../values/columns.ts'
import { ownColumns, type SqlType } from '../warehouse.ts'
import type { SchemaElement } from './hyparquet.ts'
import { physical } from './plain-values.ts'
import type { ChunkAsked, ChunkValues } from './read-chunk.ts'

export type ColumnKind = {
  readonly type: SqlType
  readonly withoutZone?: true
  readonly asked: Omit<ChunkAsked, 'codec' | 'rows'>
  readonly columnOf: (values: ChunkValues, rows: number) => Column
}

const decimalsStoredAs: { readonly [type: string]: number } = {
  INT32: physical.int32,
  INT64: physical.int64,
  BYTE_ARRAY: physical.bytes,
  FIXED_LEN_BYTE_ARRAY: physical.fixed,
}

/** undefined for what has no column here. In rows that were exported some columns are ours, and never null. */
export function kindOf(element: SchemaElement, isOurs: boolean): ColumnKind | undefined {
  const { name, type, type_length: length = 0, repetition_type, converted_type: converted, logical_type: logical } = element
  const isDecimal = converted === 'DECIMAL' || logical?.type === 'DECIMAL'
  const isOptional = repetition_type === 'OPTIONAL'
  const of = (as: ChunkAsked['as'], physicalType: number, fixed = 0) => ({ as, type: physicalType, length: fixed, isDecimal, isOptional })
  if (isDecimal) {
    const { scale = 0, precision: digits = 18 } = logical?.type === 'DECIMAL' ? logical : element
    if (digits > 38) return undefined
    const stored = type && decimalsStoredAs[type]
    return stored === undefined
      ? undefined
      : {
          type: { digits, scale },
          asked: of('numbers', stored, stored === physical.fixed ? length : 0),
          columnOf: (found) => ({ kind: 'decimal', scale, ...wholes(found) }),
        }
  }
  switch (type) {
    case 'BOOLEAN':
      return { type: 'boolean', asked: of('numbers', physical.boolean), columnOf: (found) => ({ kind: 'flag', values: flags(found) }) }
    case 'INT32':
      if (converted === 'DATE' || logical?.type === 'DATE')
        return { type: 'date', asked: of('numbers', physical.int32), columnOf: (found) => ({ kind: 'date', days: days(found) }) }
      if (converted?.startsWith('TIME') || logical?.type === 'TIME') return undefined
      return { type: 'bigint', asked: of('numbers', physical.int32), columnOf: (found) => wholeColumn(isOurs && name in ownColumns, found) }
    case 'INT64': {
      const moments = momentsOf(element)
      if (moments)
        return {
          type: 'timestamp',
          ...(moments.withoutZone && { withoutZone: true as const }),
          asked: of('numbers', physical.int64),
          columnOf: (found) => ({ kind: 'timestamp', ...micros(wholes(found), moments.nanos) }),
        }
      if (converted?.startsWith('TIME') || logical?.type === 'TIME') return undefined
      if (isOurs && ownColumns[name] === 'bigint' && name !== '_seq')
        return { type: 'bigint', asked: of('longs', physical.int64), columnOf: ({ values }) => ({ kind: 'long', values: values.longs }) }
      return { type: 'bigint', asked: of('numbers', physical.int64), columnOf: (found) => wholeColumn(isOurs && name in ownColumns, found) }
    }
    case 'FLOAT':
    case 'DOUBLE':
      return {
        type: 'double',
        asked: of('numbers', type === 'FLOAT' ? physical.float : physical.double),
        columnOf: (found) => ({ kind: 'number', values: wholes(found).values }),
      }
    case 'BYTE_ARRAY':
      return { type: { varchar: 65_535 }, asked: of('texts', physical.bytes), columnOf: texts }
  }
  return undefined
}

function momentsOf({ converted_type, logical_type }: SchemaElement): { readonly nanos: number; readonly withoutZone: boolean } | undefined {
  if (logical_type?.type === 'TIMESTAMP')
    return { nanos: { MILLIS: 1_000_000, MICROS: 1_000, NANOS: 1 }[logical_type.unit], withoutZone: !logical_type.isAdjustedToUTC }
  if (converted_type === 'TIMESTAMP_MILLIS' || converted_type === 'TIMESTAMP_MICROS')
    return { nanos: converted_type === 'TIMESTAMP_MILLIS' ? 1_000_000 : 1_000, withoutZone: false }
  return undefined
}

/** Nanoseconds are cut: no moment comes later by it. */
function micros({ values, wide }: ReturnType<typeof wholes>, nanos: number): ReturnType<typeof wholes> {
  if (nanos === 1_000) return { values, wide }
  const exact = new Map<number, bigint>()
  for (let row = 0; row < values.length; row++) {
    const whole = wide.get(row)
    if (nanos > 1_000) values[row] = values[row]! * (nanos / 1_000)
    else
      values[row] =
        whole === undefined ? Math.floor(values[row]! / 1_000) : Number((whole - (((whole % 1_000n) + 1_000n) % 1_000n)) / 1_000n)
  }
  return { values, wide: exact }
}

function wholes({ values: { numbers, wide }, present }: ChunkValues): {
  readonly values: Float64Array
  readonly wide: Map<number, bigint>
} {
  if (present) for (let row = 0; row < numbers.length; row++) if (present[row] === 0) numbers[row] = NaN
  return { values: numbers, wide }
}

/** A row's number is never null, and never beyond what a double holds. */
const wholeColumn = (isOwn: boolean, found: ChunkValues): Column =>
  isOwn ? { kind: 'int', values: wholes(found).values } : { kind: 'integer', ...wholes(found) }

function days({ values: { numbers }, present }: ChunkValues): Int32Array {
  const found = new Int32Array(numbers.length)
  for (let row = 0; row < found.length; row++) found[row] = present && present[row] === 0 ? noDay : numbers[row]!
  return found
}

function flags({ values: { numbers }, present }: ChunkValues): Uint8Array {
  const found = new Uint8Array(numbers.length)
  for (let row = 0; row < found.length; row++) found[row] = present && present[row] === 0 ? noFlag : numbers[row]!
  return found
}

function texts({ values: { texts: bytes, starts, ends }, present }: ChunkValues): Column {
  if (present) for (let row = 0; row < starts.length; row++) if (present[row] === 0) starts[row] = ends[row] = -1
  return { kind: 'text', bytes, starts, ends }
}
