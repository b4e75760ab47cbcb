/** The warehouse: SQL tables of rows that say which version made them, and views that show one version or the promoted one. */
import type { Columns } from './values/columns.ts'

export type SqlType = 'double' | 'integer' | 'bigint' | 'date' | 'timestamp' | 'boolean' | Varchar | Decimal
type Varchar = { readonly varchar: number }
/** `digits` in all, `scale` of them behind the point. */
export type Decimal = { readonly digits: number; readonly scale: number }
export type SqlColumn = { readonly name: string; readonly type: SqlType }

/** How the tables and views of a feature set should look. */
export type Layout = {
  readonly set: string
  /** The columns that any version's record has had, in order. */
  readonly record: readonly SqlColumn[]
  /** Every feature that any version has had, in the order they were added; the first `leading` of them belong to the first version. */
  readonly features: readonly SqlColumn[]
  readonly leading: number
  /** The fields whose values together are a row's key; without any, all rows have one key. */
  readonly per: readonly string[]
  /** The field that says when it happened. */
  readonly at: string
  /** The facts that its rows are of, one for each version of the fact; undefined where they are of records. */
  readonly facts?: readonly FactLayout[]
  /** Facts that no version of any set is over any more: their tables and views go. */
  readonly gone?: readonly string[]
  /** The versions that have a view of their own, oldest first. */
  readonly versions: readonly VersionLayout[]
  /** The promoted version, then the ones promoted before it, newest first: the base view takes each row from the first that has it. */
  readonly chain: readonly number[]
}

export type VersionLayout = {
  readonly version: number
  /** The fields of its record and its features. */
  readonly shows: readonly string[]
  /** The facts that its rows are of: another one is made of other changes, under the same numbers. */
  readonly fact?: string
}

/** A table of the facts that stand, and the view that shows it under the fact's name. */
export type FactLayout = { readonly name: string; readonly columns: readonly SqlColumn[] }

/** What every row has beside the record's columns and its features. */
export const rowColumns = { _modified_ts: 'bigint', _version: 'integer', _seq: 'bigint' } as const

/**
 * What rows over facts have, too: several may be of one `_seq`, so that their key tells them apart, and each says what became of the fact,
 * and when that was known, in nanoseconds.
 */
export const factRowColumns = { _key: { varchar: 65_535 }, _change: { varchar: 8 }, _known_ts: 'bigint' } as const

/** Every column of ours, by name. */
export const ownColumns: { readonly [name: string]: SqlType } = { ...rowColumns, ...factRowColumns }

const own = (name: keyof typeof rowColumns | keyof typeof factRowColumns): SqlColumn => ({ name, type: ownColumns[name]! })

/** The columns of a view that shows these fields and features, in the original store's order; later features come behind it. */
export function viewColumns({ record, features, leading, facts }: Layout, shown: readonly string[]): readonly SqlColumn[] {
  const those = (some: readonly SqlColumn[]) => some.filter(({ name }) => shown.includes(name))
  return [
    ...those(record),
    ...those(features.slice(0, leading)),
    own('_modified_ts'),
    own('_version'),
    ...those(features.slice(leading)),
    own('_seq'),
    ...(facts ? [own('_change')] : []),
  ]
}

/** The columns of a view of the newest row of each key: the key, these features, and what made the row. */
export function latestColumns({ record, features, per }: Layout, shown: readonly string[]): readonly SqlColumn[] {
  return [
    ...per.map((name) => record.find((one) => one.name === name)!),
    ...features.filter(({ name }) => shown.includes(name)),
    own('_change'),
    own('_known_ts'),
    own('_modified_ts'),
    own('_version'),
    own('_seq'),
  ]
}

export type VersionState = 'registered' | 'filling' | 'shadow' | 'promoted' | 'superseded' | 'rolled back' | 'retired'

/** A row of `tidemark_versions`. */
export type VersionRecord = {
  readonly set: string
  readonly version: number
  readonly state: VersionState
  /** How it was applied: first, cold, forward-only, backfill or shadow. */
  readonly mode: string
  readonly schemaId: string
  /** The definition as JSON. */
  readonly definition: string
  /** Per partition: the last `_seq` before this version's first row, and when the consumer switched to it. */
  readonly switches: readonly { readonly partition: number; readonly afterSeq: number; readonly at: string }[]
  /** Place in the chain of promotions, from 1; null when it is not (or no longer) in it. */
  readonly promotion: number | null
  /** What was done to it, by whom, when and why, and what was measured for it; oldest first. */
  readonly acts: readonly {
    readonly act: string
    readonly who: string
    readonly at: string
    readonly why: string | null
    readonly measured?: string
  }[]
}

/** Rows of a set: the columns are named, and a column of the table that is not among them is left null. Over facts `_key` is among them. */
export type Lot = { readonly set: string; readonly rows: Columns }

/** What the reader has written, saved in the same transaction as the rows. */
export type Progress = { readonly reader: string; readonly next: number }

export type QueryResult = {
  readonly columns: readonly string[]
  /** Integers beyond 2^53 come as bigint, decimals of more than 15 digits as text, and a column of flags as booleans. */
  readonly rows: readonly (readonly (string | number | bigint | boolean | null)[])[]
}

/** How much is worth one write: the sink gathers so many rows, but lets none wait longer than so long. */
export type Flush = { readonly rows: number; readonly everyMs: number }

/** The exact statements, none when it looks so already, and the views that they make, replace or drop. */
type Arrangement = { readonly statements: readonly string[]; readonly views: readonly string[] }

/** The fields whose values together are a row's key. */
export type NewestOptions = { readonly per: readonly string[]; readonly after: number }

/** What is asked of the rows of one version: the newest of each label's key as of the label's moment. */
export type AsOf = {
  readonly set: string
  readonly version: number
  /** The fields of the key, as rows have them. */
  readonly per: readonly SqlColumn[]
  /** The field that says when it happened. */
  readonly at: SqlColumn
  readonly facts: boolean
  readonly features: readonly SqlColumn[]
  /** Rows with a later `_seq` are left out. */
  readonly lastSeq: number
  /** Only what had come in by then, where rows of records say so; rows over facts always do. */
  readonly known: boolean
  /** Only what was computed by then. */
  readonly computed: boolean
  readonly before: boolean
}

export interface Warehouse {
  /** Where a write costs much however small it is; without it, rows are written as they come. */
  readonly flush?: Flush
  /** What `arrange` would do to make the warehouse look so. */
  plan(layout: Layout): Promise<Arrangement>
  /** Runs them and puts the version records, in one transaction: a reader sees the old views or the new ones. */
  arrange(layout: Layout, records: readonly VersionRecord[]): Promise<void>
  /** Every version record (of one set), by set and version. With a signal it waits for a warehouse that is away, as a write does. */
  versions(set?: string, signal?: AbortSignal): Promise<readonly VersionRecord[]>

  /**
   * Writes rows into SET_rows, replacing those of the same (_version, _seq) and, over facts, _key, with the reader's progress: all or
   * nothing, durable. The newest row of each key is kept with them, and an older one never takes its place. A write waits for a warehouse
   * that is away for a while; when the signal aborts meanwhile, it fails with the signal's reason.
   */
  write(set: string, rows: Columns, progress?: Progress, signal?: AbortSignal): Promise<void>
  /** The same for several lots in one transaction, as far as one can hold them. */
  writeTogether(lots: readonly Lot[], progress?: Progress, signal?: AbortSignal): Promise<void>
  /**
   * Writes what became of facts, with the reader's progress, as `write` does: those that stand (`_stands`) are put in place of what is
   * there, the others leave. What is there from a later `_seq` stays. The parts come one behind the other; in each there is one row for a
   * `_key`.
   */
  writeFacts(fact: string, changes: readonly Columns[], progress?: Progress, signal?: AbortSignal): Promise<void>
  /** Takes all facts away and says where readers go on: where the log that told of them is gone. */
  forgetFacts(fact: string, places: readonly Progress[]): Promise<void>
  /** The facts that stand, in order of `_key`, with `_seq` and `_known_ts`. */
  facts(fact: string): AsyncIterable<Columns>
  progress(reader: string): Promise<number | undefined>
  /**
   * Rows of a version with first <= _seq <= last, in order of _seq and, over facts, _key: the named columns (all of the table without). No
   * two parts have rows of one _seq.
   */
  rows(
    set: string,
    version: number,
    range: { readonly first: number; readonly last: number },
    columns?: readonly string[],
  ): AsyncIterable<Columns>
  /** How many rows of the version there are, and their first and last _seq; undefined when there are none. */
  extent(set: string, version: number): Promise<{ readonly rows: number; readonly first: number; readonly last: number } | undefined>
  /**
   * The newest row of each key of a version, where its _seq is greater than `after`: all columns, in parts. A key may come again, with a
   * newer row.
   */
  newest(set: string, version: number, options: NewestOptions): AsyncIterable<Columns>
  /** Deletes the rows of a version with first <= _seq <= last; the newest row of a key is then one of those that are left. */
  remove(set: string, version: number, range: { readonly first: number; readonly last: number }): Promise<void>
  /** Looks again at all rows of the set for the newest of each key, whatever somebody did to them. */
  renew(set: string): Promise<void>
  /** Views of other people that show the set's views, and which of those each one uses. */
  dependents(set: string): Promise<readonly { readonly view: string; readonly uses: readonly string[] }[]>
  /** What the whole warehouse takes on disk. */
  bytes(): Promise<number>
  /**
   * Where a statement answers sooner than all rows can be read: of each label (`_label`, a number; the key's fields; `_moment`,
   * microseconds) the features of its row and what is known of it (utilities/sql/as-of.ts), in whatever order.
   */
  asOf?(asked: AsOf, labels: Columns, signal: AbortSignal): AsyncIterable<Columns>
  /** The statement that answers so, of labels in a table of that name. */
  asOfStatement(asked: AsOf, labels: string): string
  /** Runs one reading statement whose rows are few. */
  query(sql: string): Promise<QueryResult>
  /**
   * Runs one reading statement of any length, its rows in parts as they come; the first part, which may have none, tells the columns. It
   * reads ahead by one part. When the signal aborts, it ends with the signal's reason within a moment, and so does the statement.
   */
  queryParts(sql: string, signal?: AbortSignal): AsyncIterable<QueryResult>
  close(): Promise<void>
}
