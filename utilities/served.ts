/**
 * The store that services read: tables of entries by key, the newest of each, and notes; what belongs together is written in one
 * transaction, and read of one committed state.
 */
import type { Columns } from './values/columns.ts'

/**
 * Entries of a table: `_key`, `_seq`, `_known_ts`, then what is kept of them, in order. One takes the place of what is there under its key
 * unless that has a later `_seq`. `_stands` says of each whether there is anything: what is not leaves, and is not brought back by what was
 * so before.
 */
export type EntryLot = {
  readonly table: string
  readonly entries: Columns
  /** The columns whose values are kept, in their order. */
  readonly kept: readonly string[]
}

/** A text under a name; null takes it away. */
export type Note = { readonly name: string; readonly text: string | null }

export type ServedWork = {
  /** Tables that go, with all that is in them, before anything is put. */
  readonly drop?: readonly string[]
  readonly lots: readonly EntryLot[]
  readonly notes: readonly Note[]
  /** Whether the notes change what readers know: they look at them again. */
  readonly isTurn?: boolean
}

export type ServedEntry = {
  readonly seq: number
  readonly known: bigint
  /** The values, in the order of the columns. */
  readonly values: readonly (string | number | boolean | null)[]
}

export interface ServedReader {
  entry(table: string, key: string): ServedEntry | undefined
  /** Of each key the values as the text of a JSON array; undefined where there is no entry. Many at once, and nothing read out of them. */
  texts(table: string, keys: readonly string[]): readonly (string | undefined)[]
  /** Counts the turns: what was made of notes is so as long as this is the same. */
  turn(): number
  /** Those whose names begin so, by name. */
  notes(prefix: string): ReadonlyMap<string, string>
}

export interface Served {
  /** All of it or nothing; in the order of the calls. */
  write(work: ServedWork): Promise<void>
  /** Everything that is looked at is of one state. */
  read<T>(look: (reader: ServedReader) => T): T
  close(): Promise<void>
}
