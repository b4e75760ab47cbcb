/** What an engine reads of a batch of records: the columns of the fields that features are made of. */
import { textsOf } from '../utilities/values/cell-text.ts'
import { noDay, type Column, type Columns, type DateColumn } from '../utilities/values/columns.ts'
import { daysOf } from '../utilities/values/days.ts'
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
  const base = { count: columns.count, byName: columns.byName, days: daysOf(columns, record.at) }
  return per === null ? base : { ...base, keys: keysOf(columns.byName.get(per)!, columns.count) }
}

/** The key of each record as text; null is the key "". A date has been its number in the keys of every state that was ever saved. */
export function keysOf(column: Column, count: number): string[] {
  const textAt = textsOf(column.kind === 'date' ? { kind: 'int', values: daysOrNull(column) } : column)
  const keys = new Array<string>(count)
  for (let row = 0; row < count; row++) keys[row] = textAt(row) ?? ''
  return keys
}

const daysOrNull = ({ days }: DateColumn) => Float64Array.from(days, (day) => (day === noDay ? NaN : day))
