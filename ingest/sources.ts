/** How far each source from a topic has come: where to go on, which change was its newest, and what became of its messages. */
import type { Place } from '../schemas/foreign/changes.ts'
import type { Seen } from './newest.ts'
import type { Doubtful } from './losses.ts'

/** The newest change of a partition, by which one that comes again is known. */
type Newest = { readonly op: string; readonly place: SavedPlace | null }

/** A place as it is saved: whole numbers of any size are texts. */
export type SavedPlace = { readonly [part in string]: string | number | null }

export type PartitionPlace = {
  /** The offset to go on from. */
  readonly next: number
  /** When its last message was sent, in milliseconds; 0 before the first. */
  readonly time: number
  readonly newest: Newest | null
}

export type SourceTotals = {
  readonly messages: number
  /** Changes that had come before. */
  readonly duplicates: number
  readonly dead: number
  /** Changes from before the snapshot that was read last: for a moment their rows are older than they were. */
  readonly wentBack: number
}

/** A snapshot of a table: all of its rows, read by its connector. */
export type SnapshotPlace = {
  /** What its rows have in common. */
  readonly id: string
  /** The run of the connector that made it; null where it does not tell. */
  readonly run: string | null
  /** The number of the first commit with rows of it. */
  readonly since: number
  /**
   * `ending`: its last row was read in one partition; `leaving`: rows that it lacks leave, some at a time; `asks`: they are so many that
   * somebody must say so first; `adhoc`: somebody asked for it, and it replaces nothing.
   */
  readonly state: 'under way' | 'ending' | 'leaving' | 'asks' | 'done' | 'adhoc'
  /** Where each partition ended when the last row was seen. */
  readonly ends?: readonly number[]
  /** Of those that ask: how many of how many would leave. */
  readonly left?: number
  readonly of?: number
  /** Where it stood in the changes. */
  readonly place: SavedPlace | null
  /** Changes from before it are still being read. */
  readonly catchingUp: boolean
}

export type SourcePlace = {
  readonly topic: string
  readonly partitions: readonly PartitionPlace[]
  readonly totals: SourceTotals
  /** Of a table: whether all its rows have been read once. */
  readonly loaded: boolean
  readonly snapshot: SnapshotPlace | null
  /** The connector; its run that sent changes last, and when it sent the first of them, in milliseconds. Null where it does not tell. */
  readonly connector: string | null
  readonly run: { readonly id: string; readonly since: number } | null
  /** Of several partitions: the run that all of them have come to, and the number of the first commit with what it sent. */
  readonly current: { readonly run: string; readonly since: number } | null
  /** Whether its snapshots mark the first and the last row of each table. */
  readonly marks: boolean
  /** Whether a change outside of a snapshot has come. */
  readonly streaming: boolean
  /** Whether the last row of a snapshot of all tables of its connector has come. */
  readonly passed: boolean
}

/** Of topics that say where transactions end: by topic. */
export type EndsPlace = {
  readonly next: number
  readonly inPieces: number
  /** Where the last transaction that was let through had ended in PostgreSQL's log. */
  readonly after: string | null
  /** Transactions of which all changes may be lost: the next change tells. One of before that was known has none. */
  readonly doubtful?: readonly Doubtful[]
}

export const noTotals: SourceTotals = { messages: 0, duplicates: 0, dead: 0, wentBack: 0 }

export const newSource = (topic: string): SourcePlace => ({
  topic,
  partitions: [],
  totals: noTotals,
  loaded: false,
  snapshot: null,
  connector: null,
  run: null,
  current: null,
  marks: false,
  streaming: false,
  passed: false,
})

/** A source that comes from another topic now has read nothing of that; what it has made of the one before stays. */
export const atTopics = (
  sources: { readonly [source: string]: SourcePlace },
  now: Iterable<{ readonly name: string; readonly topic: string }>,
): { readonly [source: string]: SourcePlace } => {
  const moved = [...now].flatMap(({ name, topic }) => {
    const state = sources[name]
    if (!state || state.topic === topic) return []
    const { totals, loaded } = state
    return [[name, { ...newSource(topic), totals, loaded }] as const]
  })
  return moved.length === 0 ? sources : { ...sources, ...Object.fromEntries(moved) }
}

export const newPartition: PartitionPlace = { next: 0, time: 0, newest: null }

export const savedPlace = (place: Place): SavedPlace =>
  place.of === 'postgres'
    ? { of: place.of, transaction: text(place.transaction), lsn: String(place.lsn), commit: text(place.commit) }
    : { of: place.of, file: place.file, position: String(place.position), row: place.row, gtid: place.gtid ?? null }

export function placeFrom(saved: SavedPlace): Place {
  const whole = (name: string) => BigInt(saved[name]!)
  const orNull = (name: string) => (saved[name] === null ? null : whole(name))
  return saved['of'] === 'postgres'
    ? { of: 'postgres', transaction: orNull('transaction'), lsn: whole('lsn'), commit: orNull('commit') }
    : {
        of: 'mysql',
        file: saved['file'] as string,
        position: whole('position'),
        row: saved['row'] as number,
        ...(saved['gtid'] && { gtid: saved['gtid'] as string }),
      }
}

export const seenIn = ({ newest }: PartitionPlace): Seen | undefined =>
  newest ? { op: newest.op, place: newest.place ? placeFrom(newest.place) : undefined } : undefined

const text = (value: bigint | null) => (value === null ? null : String(value))
