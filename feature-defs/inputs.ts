/** What an engine reads of a batch of records: the columns of the fields that features are made of. */
import { columnOf, noDay, type Column, type Columns } from '../utilities/values/columns.ts'
import type { Definition } from './feature-set.ts'

export type Inputs = {
  readonly count: number
  /** By field: at least those that features are of. */
  readonly byName: ReadonlyMap<string, Column>
  /** The event date of each record. */
  readonly days: Int32Array
  /** The key of each record, when the definition is `per` a field; null is the key ''. */
  readonly keys?: readonly string[]
}

/** The fields that the engine of this version reads. */
export const fieldsRead = ({ record, per, features }: Definition): readonly string[] => [
  ...new Set([record.at, ...(per === null ? [] : [per]), ...features.map(({ spec }) => spec.of)]),
]

export function inputsOf(definition: Definition, columns: Columns): Inputs {
  const { record, per } = definition
  const base = { count: columns.count, byName: columns.byName, days: columnOf(columns, record.at, 'date').days }
  return per === null ? base : { ...base, keys: keysOf(columns.byName.get(per)!, columns.count) }
}

/** The key of each record as text; null is the key "". */
export function keysOf(column: Column, count: number): string[] {
  const keys = new Array<string>(count)
  if (column.kind === 'text') {
    const bytes = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength)
    for (let row = 0; row < count; row++)
      keys[row] = column.starts[row] === -1 ? '' : bytes.utf8Slice(column.starts[row]!, column.ends[row]!)
  } else {
    const value = column.kind === 'date' ? column.days : column.values
    const isNull = column.kind === 'date' ? (one: number | bigint) => one === noDay : (one: number | bigint) => one !== one
    for (let row = 0; row < count; row++) keys[row] = isNull(value[row]!) ? '' : String(value[row])
  }
  return keys
}
