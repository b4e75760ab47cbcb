/**
 * The columns that features are computed into. Another kind is a member and an entry here, and the compiler names who must tell them apart.
 */
import type { FieldType, Values as FieldValues } from '../schemas/record.ts'
import {
  noDay,
  noFlag,
  putWhole,
  type DateColumn,
  type DecimalColumn,
  type FlagColumn,
  type IntegerColumn,
  type NumberColumn,
  type TextColumn,
  type TimestampColumn,
  type Wholes,
} from '../utilities/values/columns.ts'
import { textColumn, type Value, type Values } from './values.ts'

export type FeatureColumn = NumberColumn | IntegerColumn | DecimalColumn | TextColumn | DateColumn | TimestampColumn | FlagColumn
export type FeatureKind = FeatureColumn['kind']
/** What a feature is in a row, where it is not null. */
export type FeatureValues = FieldValues
/** It follows from its operator and its field. */
export type FeatureType = FieldType

/** What an operator writes into, row after row: NaN is null, and infinite what its type has no room for. */
export type Output = Values & { [row: number]: Value }

/** The most bytes of one in a message, the union with null included. */
export function mostBytesOf(type: FeatureType): number {
  if (type.kind === 'text') return 4 + type.bytes
  return { number: 9, integer: 11, decimal: 19, date: 6, timestamp: 11, flag: 2 }[type.kind]
}

export const outputOf = ({ kind }: FeatureType, count: number): Output =>
  kind === 'number' || kind === 'date' || kind === 'flag' ? new Float64Array(count) : new Array<Value>(count)

/** The column of what was written. */
export function featureColumn(type: FeatureType, written: Output): FeatureColumn {
  switch (type.kind) {
    case 'number':
      return { kind: 'number', values: written as Float64Array }
    case 'integer':
    case 'timestamp':
      return { kind: type.kind, ...wholes(written) }
    case 'decimal':
      return { kind: 'decimal', scale: type.scale, ...wholes(written) }
    case 'date':
      return { kind: 'date', days: Int32Array.from(written as Float64Array, (day) => (day === day ? day : noDay)) }
    case 'flag':
      return { kind: 'flag', values: Uint8Array.from(written as Float64Array, (flag) => (flag === flag ? flag : noFlag)) }
    case 'text':
      return textColumn(written)
  }
}

function wholes(written: Output): Wholes {
  const values = new Float64Array(written.length)
  const wide = new Map<number, bigint>()
  for (let row = 0; row < values.length; row++) {
    const value = written[row]!
    if (typeof value === 'bigint') putWhole(values, wide, row, value)
    else values[row] = value as number
  }
  return wide.size === 0 ? { values } : { values, wide }
}

/** Makes null what its type had no room for, and says how many there were. */
export function dropBeyond({ kind }: FeatureType, written: Output): number {
  let count = 0
  if (kind !== 'integer' && kind !== 'decimal') return count
  for (let row = 0; row < written.length; row++) {
    if (written[row] !== Infinity) continue
    written[row] = NaN
    count++
  }
  return count
}

/** A column of so many rows that has these values at these rows, and null elsewhere. */
export function scattered(column: FeatureColumn, rows: Int32Array, count: number): FeatureColumn {
  switch (column.kind) {
    case 'number':
      return { kind: 'number', values: spread(column.values, rows, new Float64Array(count).fill(NaN)) }
    case 'integer':
    case 'timestamp':
    case 'decimal': {
      const wide = column.wide && { wide: new Map([...column.wide].map(([row, value]) => [rows[row]!, value])) }
      return { ...column, values: spread(column.values, rows, new Float64Array(count).fill(NaN)), ...wide }
    }
    case 'date':
      return { kind: 'date', days: spread(column.days, rows, new Int32Array(count).fill(noDay)) }
    case 'flag':
      return { kind: 'flag', values: spread(column.values, rows, new Uint8Array(count).fill(noFlag)) }
    case 'text': {
      const starts = spread(column.starts, rows, new Int32Array(count).fill(-1))
      return { ...column, starts, ends: spread(column.ends, rows, new Int32Array(count)) }
    }
  }
}

function spread<A extends Float64Array | Int32Array | Uint8Array>(from: A, rows: Int32Array, to: A): A {
  for (let i = 0; i < rows.length; i++) to[rows[i]!] = from[i]!
  return to
}

export const nulls = (type: FeatureType, count: number): FeatureColumn => {
  const none = outputOf(type, count)
  for (let row = 0; row < count; row++) none[row] = NaN
  return featureColumn(type, none)
}
