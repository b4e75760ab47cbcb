/**
 * Tables on disk: rows by key as of a commit of the log, what is to become of them next, and rows joined to what they refer to. All of it
 * is a cache: the log's checkpoints are the truth, and from them it is made again whenever its mark is not theirs.
 */
import type { Column, Columns } from './values/columns.ts'

export type TableColumn = {
  readonly kind: Exclude<Column['kind'], 'int' | 'long'>
  /** Of a decimal. */
  readonly digits?: number
  readonly scale?: number
}

export type StoredTable = {
  readonly name: string
  /** The columns that tell its rows apart. */
  readonly key: readonly string[]
  readonly fields: { readonly [column: string]: TableColumn }
}

/** Each row of `of` with the rows that it refers to, by their keys; a column of these is called `joined.column`. */
export type Joined = {
  readonly of: StoredTable
  /** The columns to be read. */
  readonly wanted: readonly string[]
  readonly join: {
    readonly [name: string]: {
      readonly table: StoredTable
      /** What its key must equal: a column of the row itself, or one of a join before this one. */
      readonly on: readonly string[]
      /** Without it the row is there all the same. */
      readonly optional: boolean
    }
  }
}

/** Which state of the log: the commit's number, and a word that tells it from another commit of that number. */
export type Mark = { readonly commit: number; readonly token: string }

/** What became of the rows of a file beside the rows that stand. */
export type Compared = {
  readonly added: number
  readonly changed: number
  readonly gone: number
  readonly unchanged: number
  /** Rows whose key an earlier row had: they count for nothing. */
  readonly repeated: number
}

/** The rows that stand, or those that stand once what is staged has become of them. */
export type State = 'before' | 'after'

/** Rows that are joined, or their order: see `list` and `order`. */
export type Listed = 'affected' | 'ordered'

/** Rows in both states, and when the newest of what is staged became known at each of the places: see `known`. */
export type Both = { readonly before: Columns; readonly after: Columns; readonly known: BigInt64Array }

export interface Tables {
  /** Makes the tables that are missing; where one is there with other columns, or one that must be `filled` is missing, all are renewed. */
  shape(tables: readonly StoredTable[], filled: (table: string) => boolean): void
  /** What its rows are as of; undefined when that is not known, and they are to be made again. */
  mark(): Mark | undefined
  /** What the rows will be as of once what is staged has become of them; undefined when that is not all there. */
  sealed(): Mark | undefined
  /** Empties these tables and drops all others, with all that is staged: nothing is known from now on, until `settle`. */
  renew(tables: readonly StoredTable[]): void
  /**
   * Puts rows in place of those of the same key, or takes those of these keys out: between `renew` and `settle` alone. With `_commit`, the
   * number of the commit that last wrote each.
   */
  fill(table: string, rows: Columns): void
  unfill(table: string, keys: Columns): void
  /** How many rows stand. */
  count(table: string): number

  /** Rows of a file with `_seq` and `_line`, to be compared once all are there. */
  receive(table: string, rows: Columns): void
  /** Stages what must become of the table so that it is the file; rows that the file lacks stay if it is only a part. */
  compare(table: string, options: { readonly partial: boolean }): Compared
  /** Those rows of the file that was compared last whose key an earlier row had, as they were received, some at a time. */
  repeated(table: string): Iterable<Columns>
  /** Stages rows to be put in place of those of the same key. With `_known`, when each became known. */
  stage(table: string, rows: Columns): void
  /**
   * Stages that the rows of these keys go; of those that do not stand, what is staged is taken back. With `_known`, when that became known.
   */
  stageGone(table: string, keys: Columns): void
  /** Does all of this work in one go: it costs less than step by step, and all of it is staged or nothing. */
  together<T>(work: () => T): T
  /** The rows of these keys that are there once what is staged has become of them: `_seq` is the place among the keys. */
  find(table: string, keys: Columns): Columns
  /**
   * The keys of so many rows at most, in order, that stand and were last written before the commit of that number, whatever is staged of
   * them: behind the last of these keys, where they are given. Each part is asked for behind the one before, so that all of them together
   * cost one look at the table. A row of which nobody said which commit wrote it was written before all.
   */
  before(table: string, commit: number, most: number, behind?: Columns): Columns
  /** How many stand that were last written before it: a look at all rows. */
  countBefore(table: string, commit: number): number
  /** Takes back what is staged. */
  discard(): void
  /** How many rows are staged. */
  staged(table: string): number
  /**
   * The staged rows by key, behind the first so many, some at a time: their keys, `before` and `after` (a flag: whether there is a row),
   * and every column as `before.column` and `after.column`. With `isOnly`, what they are is all that is read: what they were is null.
   */
  changes(table: string, skip: number, options?: { readonly isOnly: boolean }): Iterable<Columns>
  /** What is staged is all of what leads to that mark. */
  seal(mark: Mark): void
  /** What is staged becomes of the rows, last written by the commit of the mark, and they are as of it. */
  settle(mark: Mark): void

  /**
   * Lists the rows whose joined columns may differ between the states, or every row that is in either of them, and says how many. One list
   * at a time.
   */
  list(joined: Joined, options: { readonly all: boolean }): number
  /** Puts listed rows into an order: `_seq` is the place in the list, `rank` and then `at` decide, then the key. Ended by `ordered`. */
  order(rows: Columns): void
  /** Puts every row that stands after into the order of one of its columns, then the key; says how many. */
  orderBy(joined: Joined, column: string): number
  /** How many were put into an order. */
  ordered(joined: Joined): number
  /**
   * When the newest of the staged rows that may change what is at these places of what was listed last became known, whatever they refer to
   * included; 0 where nobody said.
   */
  known(listed: Listed, from: number, to: number): BigInt64Array
  /** The rows at these places (the second excluded) that are there in that state: `_seq` is the place. */
  rows(joined: Joined, state: State, listed: Listed, from: number, to: number): Columns
  /** The rows at these places in both states, which costs less than one after the other; and what `known` says of them. */
  both(joined: Joined, listed: Listed, from: number, to: number): Both
  /** Every row that stands, by its key, some at a time; `_seq` counts them. */
  standing(joined: Joined): Iterable<Columns>
  close(): void
}
