/** What a version makes of the records of its stream: one row of each, and of changes of facts one for each key that they touch. */
import type { Lookup } from '../utilities/checkpoints.ts'
import type { Models } from '../utilities/models.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { DueChange, FindDue } from './facts/dues.ts'
import type { FeatureColumn } from './feature-columns.ts'
import type { Slots } from './slots.ts'

/** Rows: what travels with the features, and a column for each of these in the definition's order. */
export type Made = { readonly records: Columns; readonly values: readonly FeatureColumn[] }

export type Maker = Pick<Slots, 'changes' | 'changedKeys' | 'statesOf'> & {
  push(records: Columns): Promise<Made>
  /** How many values were too large for the type of their feature, and are null, since the last call. */
  beyond(): number
  /** For how many rows each model gave no number, which are null, since the last call. */
  noNumbers(): ReadonlyMap<string, number>
  /** Of facts: what changed of when keys are due, since the last call; and the last tick. */
  dueChanges(): readonly DueChange[]
  tick(): number | null
}

/** What it goes on from. */
export type Past = {
  readonly from?: Lookup
  /** The last date that a tick said had come. */
  readonly tick?: number | null
  /** Keys that are not in memory yet. */
  readonly findDue?: FindDue
  /** Opens the models of a version that has some. */
  readonly models?: Models
}
