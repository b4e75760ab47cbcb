/**
 * Holds changes until their database's transaction is whole: the topic of transactions says in which order they ended, and how many changes
 * each has. What cannot be made whole goes as it came, and is counted.
 */
import { says } from '../schemas/foreign/changes.ts'
import { endsAfter, type End, type Ends } from './ends.ts'
import { behind, type Lane, type Piece } from './pieces.ts'
import { lately, queue, type Queue } from './queue.ts'
import type { SentLane } from './sent-lanes.ts'

export type HolderOptions = {
  /** So many messages are held at most. */
  readonly most: number
  /** And so long where all has been read that there is. */
  readonly mostMs: number
  /** Where the last transaction that was let through had ended; ends up to there come again. */
  readonly after: bigint | undefined
  /** What is held here: a collection, as transactions count them, is the end of its topic's name. */
  readonly sources: readonly { readonly source: string; readonly topic: string }[]
}

export type Holder = Pick<Ends, 'mark' | 'sent' | 'done' | 'written'> & {
  /** Messages of this lane may come, from an offset on. */
  open(lane: Lane, from: number): void
  add(piece: Piece): void
  /**
   * What may be written now, in order. `open`: all lanes that there are; `quiet`: nothing more can come before something is let through,
   * since every topic has been read to its end (`isAll`) or as far as there is room.
   */
  release(now: { readonly ms: number; readonly open: boolean; readonly quiet: boolean; readonly isAll: boolean }): readonly Piece[]
  /** Messages that are held. */
  held(): number
  /** Whether more of a lane should be read. */
  hasRoom(lane: Lane): boolean
  /** Whether more of the topic of transactions should be read. */
  hasRoomForEnds(): boolean
  /** Transactions that could not be made whole. */
  inPieces(): number
}

/** Read ahead of what can be written: of a lane, and of all. */
const [aheadOfLane, aheadOfAll] = [5_000, 20_000]
/** So many ends of transactions are known before they are needed. */
const aheadOfEnds = 10_000
/** So many transactions are known to have been given up, or to have come before. */
const mostKnown = 10_000

const nameOf = ({ source, partition }: Pick<Lane, 'source' | 'partition'>) => `${source}/${partition}`
const lengthOf = ({ from, to }: Piece) => to - from

/** A TRUNCATE of MySQL is a transaction of its own, of which no end is told, and nothing says where it would have been. */
const isAlone = ({ changes, from }: Piece) => changes.said[from] === says.emptied && changes.origins[from]?.place?.of === 'mysql'

export function holdTransactions({ most, mostMs, sources, after }: HolderOptions): Holder {
  /** In the order of their messages. */
  const lanes = new Map<string, Queue<Piece>>()
  const ahead = new Map<string, number>()
  const ends = endsAfter(after)
  const broken = lately(mostKnown)
  /** By transaction, how many of its changes had come before: of MySQL an end does not tell whether it had, too. */
  const repeats = new Map<string, number>()
  /** Of each lane, where what was read of it ends. */
  const readTo = new Map<string, number>()
  /** By collection, the sources that had changes of it. */
  const collections = new Map<string, Set<string>>()
  let [held, inPieces] = [0, 0]
  let quietSince: number | undefined

  /** How many sources have its changes: several may read one topic, and each of them has all of these. */
  const readersOf = (collection: string): number => {
    const topic = sources.find((one) => one.topic === collection || one.topic.endsWith(`.${collection}`))?.topic
    const own = topic === undefined ? 0 : sources.filter((one) => one.topic === topic).length
    return Math.max(own, collections.get(collection)?.size ?? 0)
  }
  const changesIn = ({ changes }: End) => [...changes].reduce((sum, [collection, count]) => sum + count * readersOf(collection), 0)
  const giveUp = (transaction: string) => {
    if (!broken.has(transaction)) inPieces++
    broken.add(transaction)
  }
  const countRepeats = ({ changes, repeated, from, to }: Piece) => {
    for (let i = from; i < to; i++) {
      const transaction = repeated[i] === 1 ? changes.origins[i]?.transaction : undefined
      if (transaction === undefined || ends.hasEnded(transaction)) continue
      if (repeats.size >= mostKnown) repeats.clear()
      repeats.set(transaction, (repeats.get(transaction) ?? 0) + 1)
    }
  }
  /** From the front of every lane, as long as it may go, up to the last of some. */
  const take = (out: Piece[], mayGo: (piece: Piece) => boolean, upTo = mayGo) => {
    for (const [name, lane] of lanes) {
      let count = 0
      let i = 0
      for (let piece = lane.at(0); piece && (lengthOf(piece) === 0 || mayGo(piece)); piece = lane.at(++i)) if (upTo(piece)) count = i + 1
      for (const piece of count === 0 ? [] : lane.take(count)) {
        out.push(piece)
        held -= lengthOf(piece)
        ahead.set(name, ahead.get(name)! - lengthOf(piece))
      }
    }
  }
  const isFree = (piece: Piece) => piece.transaction === undefined || broken.has(piece.transaction) || isAlone(piece)
  /** With what lies in between, as the tombstone behind a deletion that began a batch of its own. */
  const isOf = (transaction: string) => (piece: Piece) => piece.transaction === transaction || isFree(piece)
  /** One that ended without an end: a TRUNCATE has none. */
  const isBefore =
    ({ transaction, lsn }: End) =>
    (piece: Piece): boolean => {
      if (isFree(piece)) return true
      const place = piece.changes.origins[piece.from]?.place
      return piece.transaction !== transaction && lsn !== undefined && place?.of === 'postgres' && (place.commit ?? 0n) < lsn
    }
  /** How many changes of a transaction have come, and the lanes that may have more of them to come. */
  const found = (transaction: string) => {
    let count = 0
    const isIts = isOf(transaction)
    const pending = new Set<string>()
    for (const [name, lane] of lanes) {
      let i = 0
      let piece = lane.at(0)
      for (; piece && isIts(piece); piece = lane.at(++i)) if (piece.transaction === transaction) count += piece.counted
      if (!piece) pending.add(name)
    }
    return { count, pending }
  }
  /** Whether what has come of a transaction is all of it. */
  const isWhole = ({ transaction, isTorn, sent }: End, wanted: number, { count, pending }: ReturnType<typeof found>): boolean => {
    const hadCome = count === 0 && (repeats.get(transaction) ?? 0) >= wanted
    if (!isTorn) return hadCome || count === wanted
    const isRead = (one: SentLane) => (readTo.get(nameOf(one)) ?? -1) >= one.to || (lanes.has(nameOf(one)) && !pending.has(nameOf(one)))
    return (hadCome || count >= wanted) && sent !== undefined && sent.every(isRead)
  }
  const wholeOnes = (out: Piece[], open: boolean) => {
    take(out, isFree)
    for (let end = ends.first(); end; end = ends.first()) {
      const { transaction: ending } = end
      take(out, isBefore(end))
      const wanted = changesIn(end)
      if ((wanted > 0 || end.isTorn) && !broken.has(ending)) {
        const what = found(ending)
        const mayCome = !open || what.pending.size > 0
        if (mayCome && !isWhole(end, wanted, what)) return
        // Every lane has come to later ones.
        if (what.count > 0 && what.count < wanted) inPieces++
        // What is behind it may be the end of a table, or a snapshot: not before all of it.
        take(out, isOf(ending), ({ transaction }) => transaction === ending)
      }
      ends.pass()
      repeats.delete(ending)
      take(out, isFree)
    }
  }

  const { mark, sent, done, written } = ends
  return {
    mark,
    sent,
    done,
    written,
    open(lane, from) {
      lanes.set(nameOf(lane), queue())
      ahead.set(nameOf(lane), 0)
      readTo.set(nameOf(lane), from)
    },
    add(piece) {
      const name = nameOf(piece)
      lanes.get(name)!.add(piece)
      ahead.set(name, ahead.get(name)! + lengthOf(piece))
      readTo.set(name, behind(piece))
      if (piece.collection !== undefined) {
        const own = collections.get(piece.collection) ?? new Set()
        collections.set(piece.collection, own.add(piece.source))
      }
      held += lengthOf(piece)
      countRepeats(piece)
    },
    release({ ms, open, quiet, isAll }) {
      const out: Piece[] = []
      wholeOnes(out, open)
      while (held > most) {
        const [largest] = [...lanes.values()].toSorted((a, b) => b.length() - a.length())
        giveUp(ends.first()?.transaction ?? largest!.at(0)!.transaction!)
        wholeOnes(out, open)
      }
      const isWaiting = held > 0 || ends.length() > 0
      quietSince = isWaiting && quiet && out.length === 0 ? (quietSince ?? ms) : undefined
      if (quietSince !== undefined && ms - quietSince >= mostMs) {
        const first = ends.first()
        if (!isAll && first) giveUp(first.transaction)
        else {
          for (const lane of lanes.values()) for (const { transaction } of lane) if (transaction !== undefined) giveUp(transaction)
          // All has been read: nothing that they count is to come.
          ends.giveUp()
        }
        wholeOnes(out, open)
      }
      return out
    },
    held: () => held,
    hasRoom(lane) {
      const own = lanes.get(nameOf(lane))!
      // One that is not whole yet has to be read on.
      const first = own.at(0)?.transaction
      const isOne = first !== undefined && isOf(first)(own.at(own.length() - 1)!)
      const messages = ahead.get(nameOf(lane))!
      return messages === 0 || isOne || (messages <= aheadOfLane && held <= aheadOfAll)
    },
    hasRoomForEnds: () => ends.length() <= aheadOfEnds,
    inPieces: () => inPieces,
  }
}
