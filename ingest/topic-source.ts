/** A table or a record that comes from a topic: what reads its messages, and how its rows are told apart. */
import type { Changes, TransactionMark } from '../schemas/foreign/changes.ts'
import type { RecordSchema, Table } from '../schemas/record.ts'
import type { Messages } from '../utilities/feed.ts'

/** A message of a topic of transactions: what it says, nothing, or why it cannot be read. */
type Mark = TransactionMark | { readonly dead: string } | undefined

export type TopicSource = {
  readonly name: string
  readonly topic: string
  readonly of: { readonly table: Table } | { readonly record: RecordSchema }
  readonly decode: (messages: Messages) => Promise<Changes>
  /** Whether its connector tells of snapshots. */
  readonly isOfDatabase: boolean
  /** Its connector makes none, or whoever set it up does not want to wait for one. */
  readonly noSnapshot: boolean
  /** What it gives is gone once it is read, as of standard input: every run begins anew. */
  readonly isFleeting: boolean
  /** The topic that says where its transactions end. */
  readonly transactions: string | undefined
}

export type TransactionTopic = { readonly topic: string; readonly decode: (messages: Messages) => Promise<readonly Mark[]> }
