/** What services read: the newest row of each key, of every version that is computed, and the facts that stand. */
import type { Definition } from '../feature-defs/feature-set.ts'

/** As JSON has it: whole numbers beyond 2^53 and decimals of more than 15 digits are texts, dates and timestamps ISO 8601. */
export type ServedValue = number | string | boolean | null

export type ServedSet = {
  readonly name: string
  /** The version that is served where none is named; undefined before the first was promoted. */
  readonly promoted: number | undefined
  /** The promoted version, then those promoted before it: a key that the first has no row of is shown as the next one has it. */
  readonly chain: readonly number[]
  /** Every version of which rows are kept, with its definition. */
  readonly versions: ReadonlyMap<number, Definition>
}

/** The newest row of a key, in one version. */
export type ServedRow = {
  readonly version: number
  readonly seq: number
  /** When it was computed, in nanoseconds. */
  readonly modified: bigint
  /** When what it was computed of came in, in nanoseconds. */
  readonly known: bigint
  /** When it happened, in milliseconds: of a tick the date that it brought. */
  readonly atMs: number
  /** What became of the fact that it was computed of; null over records. */
  readonly change: string | null
  /** In the order of the version's features. */
  readonly values: readonly ServedValue[]
}

/** When it happened, in milliseconds, then the values in the order of the version's features: each as JSON has it. */
export type RowTexts = readonly string[]

export type ServedFact = { readonly seq: number; readonly known: bigint; readonly fields: { readonly [name: string]: ServedValue } }

/** All of one committed state. */
export interface ServedState {
  readonly sets: ReadonlyMap<string, ServedSet>
  /** `key` as rows are spread by it: the text of one field, or of several in their order, as `keyTexts` makes it. */
  row(set: string, version: number, key: string): ServedRow | undefined
  /** The rows of these keys, as much of them as requests for features read. */
  texts(set: string, version: number, keys: readonly string[]): readonly (RowTexts | undefined)[]
  /** By the name of the fact, as the warehouse's view has it, and the text of its key. */
  fact(name: string, key: string): ServedFact | undefined
}

/** How far one partition of an outflow, or of the inflow of a fact, has come. */
export type ServedPlace = { readonly topic: string; readonly partition: number; readonly next: number; readonly end: number }

export interface Serving {
  /** Runs within one read transaction. */
  read<T>(look: (state: ServedState) => T): T
  /** Where each partition is that it reads; empty before it has begun. */
  places(): readonly ServedPlace[]
  /** Whether everything has been read that was there when it began: until then keys may lack their newest rows. */
  isCaughtUp(): boolean
  /** Rejects when whoever keeps it up to date has failed. */
  readonly ended: Promise<void>
  close(): Promise<void>
}
