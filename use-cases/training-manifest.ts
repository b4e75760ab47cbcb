/** What is written beside a training set: from it the same one can be made again, or it can be told why not. */
import type { OperatorSpec } from '../feature-defs/define-operator.ts'
import type { Outcome } from '../training/answers.ts'
import type { Beside } from '../training/output-columns.ts'
import type { Rule } from '../training/times.ts'

/** A feature as it is asked for; without a version, the promoted one's. */
export type FeatureWord = { readonly set: string; readonly version?: number | undefined; readonly feature: string }

export type TrainingOptions = Rule & {
  readonly time: string
  readonly utc: boolean
  /** As it was given, e.g. 90d; null for none. */
  readonly maxAge: string | null
  readonly with: readonly Beside[]
  readonly format: 'csv' | 'parquet'
  /** Folders of exported rows, by SET@N; from the warehouse without any. */
  readonly rows: Readonly<Record<string, string>>
}

export type FileMark = { readonly file: string; readonly bytes: number; readonly sha256: string }

/** What there was of a version's rows: all with no later `_seq` were looked at, and so many they were; null where the warehouse looked. */
export type Cut = { readonly version: number; readonly definition: string; readonly rows: number | null; readonly lastSeq: number | null }

export type Manifest = {
  readonly tidemark: 'training set'
  readonly manifest: 1
  readonly labels: FileMark & { readonly rows: number }
  readonly options: TrainingOptions
  readonly features: readonly (Required<FeatureWord> & {
    readonly column: string
    readonly fingerprint: string
    readonly definition: OperatorSpec
    readonly nulls: number
  })[]
  readonly sets: readonly {
    readonly set: string
    readonly version: number
    readonly key: readonly string[]
    readonly promotions: readonly { readonly version: number; readonly at: string }[] | null
    readonly cut: readonly Cut[]
    readonly labels: Readonly<Record<Outcome, number>>
  }[]
  readonly out: FileMark & { readonly columns: readonly string[] }
}
