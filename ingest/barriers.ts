/**
 * Barriers: where a table is emptied, or a new snapshot of it begins, all that was sent of it before has to be written first, in whichever
 * partition. What has come behind waits until that is so, whatever table it is of: transactions stay whole.
 */
import { says } from '../schemas/foreign/changes.ts'
import type { Feed } from '../utilities/feed.ts'
import { compare } from './newest.ts'
import { behind, cut, type Lane, type Piece } from './pieces.ts'
import type { IngestPlace } from './place.ts'
import { snapshotId } from './snapshots.ts'

/** Pieces to be written together; one that empties its table is by itself. */
export type Part = { readonly pieces: readonly Piece[]; readonly empties?: true }

export type Barriers = {
  /** What may be written of these and of what waits, in order. */
  pass(pieces: readonly Piece[]): Promise<readonly Part[]>
  /** Messages that wait: of a lane, or of a source. */
  kept(of: Lane | string): number
}

/** Met by one partition of a source. */
type Barrier = {
  /** The message that it is, and those behind it. */
  readonly from: Piece
  /** Where each partition ended then: what is older lies before. */
  readonly ends: readonly number[]
}

const nameOf = ({ source, partition }: Lane) => `${source}/${partition}`

export function openBarriers(feed: Feed, topicOf: (source: string) => string, { sources }: IngestPlace): Barriers {
  let barrier: Barrier | undefined
  let waiting: Piece[] = []
  const waits = new Map<string, number>()
  /** The snapshot of which each table has rows, and where to go on in each lane once all that was passed is written. */
  const snapshots = new Map(Object.entries(sources).map(([name, { snapshot }]) => [name, snapshot?.id]))
  const nexts = new Map(
    Object.entries(sources).flatMap(([source, { partitions }]) =>
      partitions.map(({ next }, partition) => [nameOf({ source, partition }), next] as const),
    ),
  )

  const wait = (piece: Piece) => {
    waiting.push(piece)
    waits.set(nameOf(piece), (waits.get(nameOf(piece)) ?? 0) + piece.to - piece.from)
  }
  /** The first message of a piece that is a barrier, or lies behind the one that there is. */
  const firstBehind = (piece: Piece): number | undefined => {
    const { changes, repeated, source } = piece
    const limit = barrier?.from.source === source ? barrier.from.changes.origins[barrier.from.from]?.place : undefined
    for (let i = piece.from; i < piece.to; i++) {
      const origin = changes.origins[i]
      if (!origin || repeated[i] === 1) continue
      if (changes.said[i] === says.emptied) return i
      if (origin.op === 'r' && origin.snapshot !== 'incremental' && snapshotId(origin) !== snapshots.get(source)) return i
      if (limit && origin.place && compare(origin.place, limit) > 0) return i
    }
    return undefined
  }
  /** Whether a piece goes before the barrier: of the source that met it, or of nobody's transaction. */
  const isBefore = (piece: Piece, among: readonly Piece[]): boolean => {
    if (waits.has(nameOf(piece))) return false
    if (piece.transaction === undefined) return true
    const own = among.filter(({ transaction }) => transaction === piece.transaction)
    return own.some(({ source }) => source === barrier!.from.source) && own.every((one) => !waits.has(nameOf(one)) && firstBehind(one) === undefined)
  }
  const isMet = ({ from: { source }, ends }: Barrier) =>
    ends.every((end, partition) => waits.has(nameOf({ source, partition })) || (nexts.get(nameOf({ source, partition })) ?? 0) >= end)

  const take = async (pieces: readonly Piece[]): Promise<readonly Piece[]> => {
    const now: Piece[] = []
    const go = (piece: Piece) => {
      now.push(piece)
      nexts.set(nameOf(piece), behind(piece))
    }
    for (const piece of pieces) {
      if (barrier && !isBefore(piece, pieces)) wait(piece)
      else {
        const first = firstBehind(piece)
        if (first === undefined) go(piece)
        else {
          if (first > piece.from) go(cut(piece, piece.from, first))
          const rest = cut(piece, first, piece.to)
          barrier ??= { from: rest, ends: (await feed.ends(topicOf(piece.source))).map(({ next }) => next) }
          wait(rest)
        }
      }
    }
    return now
  }

  return {
    async pass(pieces) {
      const parts: Part[] = []
      for (let more = pieces; ;) {
        const now = await take(more)
        if (now.length > 0) parts.push({ pieces: now })
        if (!barrier || !isMet(barrier)) return parts
        const { from } = barrier
        const empties = from.changes.said[from.from] === says.emptied
        if (empties) {
          const emptied = cut(from, from.from, from.from + 1)
          parts.push({ pieces: [emptied], empties })
          nexts.set(nameOf(emptied), behind(emptied))
        } else snapshots.set(from.source, snapshotId(from.changes.origins[from.from]!))
        more = waiting.flatMap((piece) => {
          if (!empties || piece !== from) return [piece]
          return from.from + 1 < from.to ? [cut(from, from.from + 1, from.to)] : []
        })
        waiting = []
        waits.clear()
        barrier = undefined
      }
    },
    kept: (of) =>
      typeof of === 'string'
        ? waiting.reduce((sum, { source, from, to }) => sum + (source === of ? to - from : 0), 0)
        : (waits.get(nameOf(of)) ?? 0),
  }
}
