/**
 * The columns that features are computed into. Another kind is a member and an entry here, and the compiler names who must tell them apart.
 */
import type { NumberColumn } from '../utilities/values/columns.ts'
import type { SqlType } from '../utilities/warehouse.ts'

export type FeatureColumn = NumberColumn
export type FeatureKind = FeatureColumn['kind']
/** What a feature is in a row, where it is not null. */
export type FeatureValues = { readonly number: number }
/** What an operator writes into, row after row: NaN is null. */
export type Output = Float64Array

type Described = {
  /** The most bytes of one in a message, the union with null included. */
  readonly mostBytes: number
  readonly sql: SqlType
  output(count: number): Output
  column(written: Output): FeatureColumn
}

export const featureKinds: { readonly [kind in FeatureKind]: Described } = {
  number: {
    mostBytes: 9,
    sql: 'double',
    output: (count) => new Float64Array(count),
    column: (values) => ({ kind: 'number', values }),
  },
}

/** A column of so many rows that has these values at these rows, and null elsewhere. */
export function scattered({ kind, values }: FeatureColumn, rows: Int32Array, count: number): FeatureColumn {
  const all = new Float64Array(count).fill(NaN)
  for (let i = 0; i < rows.length; i++) all[rows[i]!] = values[i]!
  return { kind, values: all }
}

export function nulls(kind: FeatureKind, count: number): FeatureColumn {
  const { output, column } = featureKinds[kind]
  return scattered(column(output(0)), new Int32Array(0), count)
}
