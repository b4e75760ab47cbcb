/** Rows: a batch of records with the features a version gives them, as the warehouse takes them. */
import type { Columns } from '../utilities/values/columns.ts'
import type { FeatureColumn } from '../feature-defs/feature-columns.ts'
import type { Definition } from '../feature-defs/feature-set.ts'

/** The record's columns and `_seq`, then the version's features, when they were computed, and the version. */
export function rowsOf({ version, features }: Definition, records: Columns, values: readonly FeatureColumn[], computedNs: bigint): Columns {
  const { count, byName } = records
  return {
    count,
    byName: new Map([
      ...byName,
      ...features.map(({ name }, i) => [name, values[i]!] as const),
      ['_modified_ts', { kind: 'long', values: new BigInt64Array(count).fill(computedNs) }],
      ['_version', { kind: 'int', values: new Float64Array(count).fill(version) }],
    ]),
  }
}
