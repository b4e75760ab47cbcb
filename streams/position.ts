/** What is saved of a feature set beside its rows: how far it has come, what it was made of, which versions run, and their state. */
import type { Definition } from '../feature-defs/feature-set.ts'
import type { Per } from '../feature-defs/keys.ts'
import { joinTake, type Take } from '../schemas/csv/selection.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { SourceIdentity } from '../utilities/source.ts'
import { positionOf } from './kept-before.ts'
import type { Beneath } from './state.ts'
import { ownerOf, setOfOwner } from './stream.ts'

/** A stretch of a file that `backfill` ingested. */
export type BatchPiece = Take & {
  readonly kind: 'batch'
  /** Where the file was; it may have moved since. */
  readonly place: string
  /** How the file's records were spread over the partitions, each of which has this piece with its own number of rows. */
  readonly routing?: Routing
  /** The ids of the schemas that its rows were read as: what is a record by one of them is one. Pieces of before have none. */
  readonly readers?: readonly string[]
}

/** Records belong to the partition of their key; without a field for it there is one partition. */
export type Routing = { readonly per: Per; readonly partitions: number }

/** A stretch of inflow that the consumer ingested: offsets from..to (to excluded). */
export type InflowPiece = {
  readonly kind: 'inflow'
  readonly from: number
  readonly to: number
  readonly firstSeq: number
  readonly lastSeq: number
  readonly rows: number
  /**
   * Offsets (the second excluded) of messages that looked like records, but no producer had recorded them then: a replay passes over them
   * too.
   */
  readonly unrecorded?: readonly Span[]
  /** The ids of the schemas that its messages were read as: what is a record by one of them is one. Pieces of before have none. */
  readonly readers?: readonly string[]
  /** Records of more bytes were left out, since rows of them would not have fitted into outflow; absent without a limit. */
  readonly most?: number
  /** The id of the inflow that it came from, once that one is gone. */
  readonly topic?: string
}

export type Span = readonly [from: number, to: number]

export type Piece = BatchPiece | InflowPiece

/** A version that is computed, or was: it owns the rows with after < _seq <= until. */
export type Run = {
  readonly version: number
  readonly mode: Mode
  readonly after: number
  /** The last _seq before its first row that the consumer computed live. */
  readonly switchedAfter: number
  readonly switchedAt: string
  /** null while it runs. */
  readonly until: number | null
  /** How many records had been taken up to `after`, and up to `until`; stores of before do not know. */
  readonly afterRows?: number
  readonly untilRows?: number
  /** Over facts: the last tick up to `until`. */
  readonly untilTick?: number
  /** How many records it could not read that another version could: they are dead letters that name it. */
  readonly unread?: number
  /** Over facts: how many rows it has made of the changes that it owns. */
  readonly made?: number
  /** Per feature, the _seq after which its state started empty: replaying from there gives the same bits. */
  readonly origins: { readonly [feature: string]: number }
  /** Where its state lies. */
  readonly layer?: number
  readonly beneath?: readonly Beneath[]
}

export type Mode = 'first' | 'cold' | 'forward-only' | 'backfill' | 'shadow'

/** Somebody else is at work on this checkpoint; the consumer waits. */
type Hold =
  /**
   * A switch of versions: over in a moment. Whoever is at it renews the token; one that stays the same for long was left by a command that
   * was killed.
   */
  | { readonly kind: 'switch'; readonly by: string; readonly token: string }
  /** A batch whose rows are partly written: to be finished, or undone, by the next `backfill`. */
  | BackfillHold

export type BackfillHold = {
  readonly kind: 'backfill'
  readonly by: string
  /** Of the one process that may write under it. */
  readonly token: string
  readonly source: SourceIdentity
  readonly place: string
  readonly years: readonly [number, number]
  /** As in what is taken; null in stores of before. */
  readonly base: number | null
  /** The last record that the partition had taken when it was held: rows behind it are the batch's. */
  readonly after: number
}

/** One partition's position: saved in the same commit as the rows it stands for. */
export type Position = {
  /** The last record taken. */
  readonly seq: number
  /** The next offset of inflow to read. */
  readonly offset: number
  readonly duplicates: number
  readonly dead: number
  /** Of facts: the last date that a tick said had come. */
  readonly tick?: number
  readonly runs: readonly Run[]
  readonly history: readonly Piece[]
  readonly hold: Hold | null
}

export const start: Position = { seq: 0, offset: 0, duplicates: 0, dead: 0, runs: [], history: [], hold: null }

/** The name under which a log's writer for this partition is taken: one holder at a time. */
export const writerName = (owner: string, partition: number) => `compute/${owner}/${partition}`

const positionName = (owner: string, partition: number | '') => `position/${owner}/${partition}`

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const toBytes = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))
export const fromBytes = <T>(bytes: Uint8Array): T => JSON.parse(decoder.decode(bytes)) as T

export async function loadPosition(checkpoints: Checkpoints, owner: string, partition: number): Promise<Position> {
  const saved = (await checkpoints.load(positionName(owner, partition))).get('')
  return saved ? positionOf(fromBytes(saved)) : start
}

/** On how many partitions versions of this owner were applied; 0 when none was. */
export const partitionsApplied = async (checkpoints: Checkpoints, owner: string): Promise<number> =>
  (await checkpoints.names(positionName(owner, ''))).length

/** The position of every partition that versions of this owner were applied on; of one at its start when none was. */
export const loadPositions = async (checkpoints: Checkpoints, owner: string): Promise<readonly Position[]> =>
  Promise.all(
    Array.from({ length: Math.max(1, await partitionsApplied(checkpoints, owner)) }, (_, partition) =>
      loadPosition(checkpoints, owner, partition),
    ),
  )

/** Every owner that has positions. */
export const ownersApplied = async (checkpoints: Checkpoints): Promise<readonly string[]> => [
  ...new Set((await checkpoints.names('position/')).map((name) => name.split('/')[1]!)),
]

export type Placed = { readonly owner: string; readonly partition: number; readonly position: Position }

/** Every position of a set, owner by owner; of one at its start when it was not applied. */
export async function positionsOfSet(checkpoints: Checkpoints, set: string): Promise<readonly Placed[]> {
  const owners = (await ownersApplied(checkpoints)).filter((owner) => setOfOwner(owner) === set)
  const all = (owners.length === 0 ? [set] : owners).map(async (owner) =>
    (await loadPositions(checkpoints, owner)).map((position, partition) => ({ owner, partition, position })),
  )
  return (await Promise.all(all)).flat()
}

/** The position of each of these sets, over what they are over here, on every partition. */
export async function loadAllPositions(
  checkpoints: Checkpoints,
  sets: readonly Pick<Definition, 'set' | 'record'>[],
): Promise<readonly { readonly set: string; readonly position: Position }[]> {
  const all = sets.map(async (one) => (await loadPositions(checkpoints, ownerOf(one))).map((position) => ({ set: one.set, position })))
  return (await Promise.all(all)).flat()
}

export const savePosition = (owner: string, partition: number, position: Position): Save => ({
  name: positionName(owner, partition),
  key: '',
  value: toBytes(position),
})

/** How fast this store has replayed history, in records a second: writing their rows, or only bringing state up to date. */
export type Speed = { readonly withRows?: number; readonly withoutRows?: number }

export async function loadSpeed(checkpoints: Checkpoints): Promise<Speed> {
  const saved = (await checkpoints.load('speed')).get('')
  return saved ? fromBytes<Speed>(saved) : {}
}

export const saveSpeed = (speed: Speed): Save => ({ name: 'speed', key: '', value: toBytes(speed) })

/** The history with these records added: what continues the last piece, and was read alike, extends it. */
export function extendHistory(history: readonly Piece[], piece: Piece): readonly Piece[] {
  const last = history.at(-1)
  if (!last || !sameReaders(last, piece)) return [...history, piece]
  if (piece.kind === 'batch')
    return last.kind === 'batch' ? [...history.slice(0, -1), ...(joinTake([last], piece) as readonly BatchPiece[])] : [...history, piece]
  if (last.kind !== 'inflow' || last.to !== piece.from || last.topic !== piece.topic || last.most !== piece.most) return [...history, piece]
  const unrecorded = joinSpans(last.unrecorded, piece.unrecorded)
  return [
    ...history.slice(0, -1),
    { ...last, to: piece.to, lastSeq: piece.lastSeq, rows: last.rows + piece.rows, ...(unrecorded.length > 0 && { unrecorded }) },
  ]
}

/** Both in order, as one where they touch. */
export function joinSpans(a: readonly Span[] = [], b: readonly Span[] = []): readonly Span[] {
  const spans: Span[] = []
  for (const [from, to] of [...a, ...b]) {
    const last = spans.at(-1)
    if (last && last[1] === from) spans[spans.length - 1] = [last[0], to]
    else spans.push([from, to])
  }
  return spans
}

const sameReaders = (a: Piece, b: Piece) => a.readers?.join() === b.readers?.join()

/** With so many more records that each version could not read, and another could: they are counted while it runs. */
export const withUnread = (runs: readonly Run[], unreadBy: (version: number) => number): readonly Run[] =>
  runs.map((run) => {
    const more = run.until === null ? unreadBy(run.version) : 0
    return more > 0 ? { ...run, unread: (run.unread ?? 0) + more } : run
  })

/** With so many more rows that each version has made of changes of facts. */
export const withMade = (runs: readonly Run[], madeBy: ReadonlyMap<number, number>): readonly Run[] =>
  runs.map((run) => {
    const more = run.until === null ? madeBy.get(run.version) : undefined
    return more === undefined ? run : { ...run, made: (run.made ?? 0) + more }
  })

/** An inflow that was deleted and made anew, or the one that is there, which may have lost records. */
export type Gone = { readonly id: string; readonly anew: boolean }

/**
 * Where a partition goes on in inflow as it is now. What of its history lay in one that is gone, or beyond the end, is not to be had any
 * more.
 */
export function asItIs(position: Position, { first, next }: { readonly first: number; readonly next: number }, gone: Gone): Position {
  const lost = (piece: Piece) => piece.kind === 'inflow' && piece.topic === undefined && (gone.anew || piece.to > next)
  if (!position.history.some(lost) && position.offset >= first && position.offset <= next && !gone.anew) return position
  return {
    ...position,
    offset: gone.anew ? first : Math.min(Math.max(position.offset, first), next),
    history: position.history.map((piece) => (lost(piece) ? { ...piece, topic: gone.id } : piece)),
  }
}

/** How many records the partition has taken. */
export const rowsTaken = ({ history }: Position): number => history.reduce((sum, { rows }) => sum + rows, 0)

export const running = (position: Position) => position.runs.filter((run) => run.until === null)
