/**
 * Barriers: where a table is emptied, or a new snapshot of it begins, all that was sent of it before has to be written first, in whichever
 * partition. What has come behind in one of them waits until that is so. Of several partitions, what one run of the connector sent is
 * written before what the next one sends: a snapshot's rows need not be in all of them.
 */
import { says } from '../schemas/foreign/changes.ts'
import type { Feed } from '../utilities/feed.ts'
import { compare } from './newest.ts'
import { behind, cut, runOf, type Lane, type Piece } from './pieces.ts'
import type { IngestPlace } from './place.ts'
import { snapshotId } from './snapshots.ts'

/** Pieces to be written together; one that empties its table is by itself. */
export type Part = { readonly pieces: readonly Piece[]; readonly empties?: true }

export type Barriers = {
  /** What may be written of these and of what waits, in order. */
  pass(pieces: readonly Piece[]): Promise<readonly Part[]>
  /** Messages that wait: of a lane, or of a source. */
  kept(of: Pick<Lane, 'source' | 'partition'> | string): number
}

/** Met by one partition of a source. */
type Barrier = {
  /** The message that it is, and those behind it: the oldest of those that lanes have come to. */
  from: Piece
  /** Where each partition ended then: what is older lies before. */
  readonly ends: readonly number[]
  /** What lies behind it, in order. */
  readonly waiting: Piece[]
}

/** Of those that lanes have come to, the one that was sent first. */
const isOlder = (piece: Piece, other: Piece): boolean => piece.messages.times[piece.from]! < other.messages.times[other.from]!

const nameOf = ({ source, partition }: Pick<Lane, 'source' | 'partition'>) => `${source}/${partition}`

export function openBarriers(feed: Feed, topicOf: (source: string) => string, { sources }: IngestPlace): Barriers {
  const barriers = new Map<string, Barrier>()
  const waits = new Map<string, number>()
  /**
   * The snapshot of which each table has rows, the run that all of its partitions have come to, and where to go on in each lane once all
   * that was passed is written.
   */
  const snapshots = new Map(Object.entries(sources).map(([name, { snapshot }]) => [name, snapshot?.id]))
  const runs = new Map(Object.entries(sources).map(([name, { current }]) => [name, current?.run]))
  const nexts = new Map(
    Object.entries(sources).flatMap(([source, { partitions }]) =>
      partitions.map(({ next }, partition) => [nameOf({ source, partition }), next] as const),
    ),
  )

  /** The first message of a piece that is a barrier, or lies behind the one that there is. */
  const firstBehind = (piece: Piece): number | undefined => {
    const { changes, repeated, source } = piece
    const from = barriers.get(source)?.from
    // What is newer than the end of a table stays behind it, whichever partition it is in.
    const limit = from?.changes.said[from.from] === says.emptied ? from.changes.origins[from.from]?.place : undefined
    for (let i = piece.from; i < piece.to; i++) {
      const origin = changes.origins[i]
      if (!origin || repeated[i] === 1) continue
      if (changes.said[i] === says.emptied) return i
      if (piece.several) {
        const run = runOf(piece, i)
        if (run !== undefined && run !== runs.get(source)) return i
      } else if (origin.op === 'r' && origin.snapshot !== 'incremental' && snapshotId(origin) !== snapshots.get(source)) return i
      if (limit && origin.place && compare(origin.place, limit) > 0) return i
    }
    return undefined
  }
  const isMet = (source: string, { ends }: Barrier) =>
    ends.every((end, partition) => waits.has(nameOf({ source, partition })) || (nexts.get(nameOf({ source, partition })) ?? 0) >= end)
  const meet = async (piece: Piece): Promise<Barrier> => {
    const met = { from: piece, ends: (await feed.ends(topicOf(piece.source))).map(({ next }) => next), waiting: [] }
    barriers.set(piece.source, met)
    return met
  }

  return {
    async pass(pieces) {
      const parts: Part[] = []
      let now: Piece[] = []
      const go = (piece: Piece) => {
        now.push(piece)
        nexts.set(nameOf(piece), behind(piece))
      }
      const close = (part?: Part) => {
        if (now.length > 0) parts.push({ pieces: now })
        if (part) parts.push(part)
        now = []
      }
      const rest = [...pieces].reverse()
      for (let piece = rest.pop(); piece; piece = rest.pop()) {
        const { source } = piece
        const first = waits.has(nameOf(piece)) ? piece.from : firstBehind(piece)
        if (first === undefined) go(piece)
        else {
          if (first > piece.from) go(cut(piece, piece.from, first))
          const kept = cut(piece, first, piece.to)
          const barrier = barriers.get(source) ?? (await meet(kept))
          const isFirst = !waits.has(nameOf(kept))
          barrier.waiting.push(kept)
          waits.set(nameOf(kept), (waits.get(nameOf(kept)) ?? 0) + kept.to - kept.from)
          if (isFirst && isOlder(kept, barrier.from)) barrier.from = kept
        }
        const barrier = barriers.get(source)
        if (!barrier || !isMet(source, barrier)) continue
        const { from, waiting } = barrier
        const empties = from.changes.said[from.from] === says.emptied
        barriers.delete(source)
        for (const one of waiting) waits.delete(nameOf(one))
        const emptied = cut(from, from.from, from.from + 1)
        const run = from.several ? runOf(from, from.from) : undefined
        if (run !== undefined) runs.set(source, run)
        if (!empties) snapshots.set(source, snapshotId(from.changes.origins[from.from]!))
        else nexts.set(nameOf(emptied), behind(emptied))
        close(empties ? { pieces: [emptied], empties } : undefined)
        // What waited comes before all that was released after it.
        for (const one of waiting.toReversed()) {
          const start = empties && one === from ? one.from + 1 : one.from
          if (start < one.to || one.from === one.to) rest.push(cut(one, start, one.to))
        }
      }
      close()
      return parts
    },
    kept: (of) =>
      typeof of === 'string'
        ? (barriers.get(of)?.waiting ?? []).reduce((sum, { from, to }) => sum + to - from, 0)
        : (waits.get(nameOf(of)) ?? 0),
  }
}
