/** What an engine reads of a batch of records: the columns of the fields that features are made of. */
import { columnOf, noDay, type Column, type Columns } from '../utilities/columns.ts'
import type { Definition } from './feature-set.ts'

export type Inputs = {
  readonly count: number
  /** Per field that an operator reads: NaN is null; for a field that is not a number, 1 where it has a value. */
  readonly numbers: ReadonlyMap<string, Float64Array>
  /** The event date of each record. */
  readonly days: Int32Array
  /** The key of each record, when the definition is `per` a field; null is the key ''. */
  readonly keys?: readonly string[]
}

/** The fields that the engine of this version reads. */
export const fieldsRead = ({ record, per, features }: Definition): readonly string[] =>
  [...new Set([record.at, ...(per === null ? [] : [per]), ...features.map(({ spec }) => spec.of)])]

export function inputsOf(definition: Definition, columns: Columns): Inputs {
  const { record, per, features } = definition
  const numbers = new Map(features.map(({ spec }) => [spec.of, numbersOf(columns.byName.get(spec.of)!, columns.count)]))
  const base = { count: columns.count, numbers, days: columnOf(columns, record.at, 'date').days }
  return per === null ? base : { ...base, keys: keysOf(columns.byName.get(per)!, columns.count) }
}

function numbersOf(column: Column, count: number): Float64Array {
  if (column.kind === 'number' || column.kind === 'int') return column.values
  const present = isPresent(column)
  return Float64Array.from({ length: count }, (_, row) => (present(row) ? 1 : NaN))
}

const isPresent = (column: Column) => (row: number) =>
  column.kind === 'text' ? column.starts[row] !== -1 : column.kind === 'date' ? column.days[row] !== noDay : true

/** The key of each record as text; null is the key "". */
export function keysOf(column: Column, count: number): string[] {
  const keys = new Array<string>(count)
  if (column.kind === 'text') {
    const bytes = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength)
    for (let row = 0; row < count; row++) keys[row] = column.starts[row] === -1 ? '' : bytes.utf8Slice(column.starts[row]!, column.ends[row]!)
  } else {
    const value = column.kind === 'date' ? column.days : column.values
    const isNull = column.kind === 'date' ? (one: number | bigint) => one === noDay : (one: number | bigint) => one !== one
    for (let row = 0; row < count; row++) keys[row] = isNull(value[row]!) ? '' : String(value[row])
  }
  return keys
}
