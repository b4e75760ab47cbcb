/**
 * What messages of others say: rows that are put, rows that are gone, tables that are emptied; and where in its database each change stood.
 */
import type { Columns } from '../../utilities/values/columns.ts'

/** What a message says; one of a kind that is nothing to us (a heartbeat, a tombstone behind a deletion) says nothing. */
export const says = { nothing: 0, put: 1, gone: 2, emptied: 3, dead: 4 } as const

export type Changes = {
  /** One of `says` per message. */
  readonly said: Uint8Array
  /** Of the messages that put, in their order: every field of the table or record. */
  readonly rows: Columns
  /** The message of each row. */
  readonly put: Int32Array
  /** Of the messages that say that a row is gone, in their order: the fields of the table's key. */
  readonly gone: Columns
  /** The message of each of these. One that puts a row may also say that the one of another key is gone, which comes first. */
  readonly goneBy: Int32Array
  /** By row, fields whose value was not sent: they keep what they have. */
  readonly unsent: ReadonlyMap<number, readonly string[]>
  readonly dead: readonly { readonly message: number; readonly reason: string }[]
  /** Per message; undefined where it is not of a change of a database. */
  readonly origins: readonly (Origin | undefined)[]
  /** What a person should hear once: a column that the source adds, drops or writes differently. */
  readonly notes: readonly string[]
}

/** Where a change stood in its database, as Debezium tells it. */
export type Origin = {
  /** The connector's name, which its topics begin with. */
  readonly connector: string
  /** schema.table or database.table, as transactions count them. */
  readonly collection: string
  readonly op: 'c' | 'u' | 'd' | 'r' | 't'
  readonly snapshot: Snapshot
  /** The transaction, the same in all its changes; undefined outside of one, and where the connector does not tell. */
  readonly transaction: string | undefined
  readonly place: Place | undefined
  /** Which run of the connector sent it, where it says so. */
  readonly run: string | undefined
}

export type Snapshot = 'no' | 'first' | 'first of table' | 'within' | 'last of table' | 'last' | 'incremental'

export type Place =
  | { readonly of: 'postgres'; readonly transaction: bigint | null; readonly lsn: bigint; readonly commit: bigint | null }
  | {
      readonly of: 'mysql'
      readonly file: string
      readonly position: bigint
      readonly row: number
      /** The same on every server, where the database gives them. */
      readonly gtid?: string
    }

/** What a transaction topic says: of an end, how many changes each collection has. */
export type TransactionMark = {
  readonly kind: 'begin' | 'end'
  readonly transaction: string
  /** Of PostgreSQL: where the log stood at its first change or behind its last one, as the event's id says behind the colon. */
  readonly lsn: bigint | undefined
  readonly changes: ReadonlyMap<string, number>
}
