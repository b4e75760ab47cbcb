/** What is asked for: features of versions of sets, each from the rows of its version. */
import type { OperatorSpec } from '../feature-defs/define-operator.ts'
import type { FeatureType } from '../feature-defs/feature-columns.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { KeyField } from './label-keys.ts'
import type { RowsOfSet } from './times.ts'

type AskedFeature = { readonly name: string; readonly type: FeatureType; readonly spec: OperatorSpec; readonly fingerprint: string }

export type AskedSet = {
  readonly set: string
  /** As it was asked for. */
  readonly version: number
  readonly per: readonly KeyField[]
  readonly of: RowsOfSet
  readonly features: readonly AskedFeature[]
  /** Where rows come from: of the version asked for alone, or of each that was promoted. */
  readonly versions: readonly AskedVersion[]
  /** Which version was promoted when, in order; undefined where it makes no difference. */
  readonly promotions?: readonly Promotion[]
}

export type Promotion = { readonly version: number; /** Microseconds since 1970. */ readonly from: number }

export type AskedVersion = {
  readonly version: number
  /** The fingerprint of its definition. */
  readonly definition: string
  /** Those of the features that it has. */
  readonly has: readonly string[]
  /** All rows with a later `_seq` are left out; null where there are none at all. */
  readonly lastSeq: number | null
  /** Its rows up to there, with these columns. */
  readonly rows: (names: readonly string[]) => AsyncIterable<Columns>
}
