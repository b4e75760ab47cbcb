/**
 * Holds changes until their database's transaction is whole: the topic of transactions says in which order they ended, and how many changes
 * each has. What cannot be made whole goes as it came, and is counted.
 */
import { says, type TransactionMark } from '../schemas/foreign/changes.ts'
import type { Lane, Piece } from './pieces.ts'
import { lately, queue, type Queue } from './queue.ts'

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

export type Holder = {
  /** Messages of this lane may come. */
  open(lane: Lane): void
  add(piece: Piece): void
  /** What the topic of transactions says at an offset. */
  mark(mark: TransactionMark, offset: number): void
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
  /**
   * Where to go on in the topic of transactions once all that was let through is written, but for `later` ones: an offset, undefined where
   * all has been dealt with that was read; and where the last of them had ended, where the ends say so.
   */
  done(later: ReadonlySet<string>): { readonly next: number | undefined; readonly after: bigint | undefined }
  /** What was let through is written. */
  written(): void
  /** Transactions that could not be made whole. */
  inPieces(): number
}

type End = TransactionMark & { readonly offset: number }

/** Read ahead of what can be written: of a lane, and of all. */
const [aheadOfLane, aheadOfAll] = [5_000, 20_000]
/** So many ends of transactions are known before they are needed. */
const aheadOfEnds = 10_000
/** So many transactions are known to have been given up, or to have ended. */
const mostKnown = 10_000

const nameOf = ({ source, partition }: Pick<Lane, 'source' | 'partition'>) => `${source}/${partition}`
const lengthOf = ({ from, to }: Piece) => to - from

/** A TRUNCATE of MySQL is a transaction of its own, of which no end is told, and nothing says where it would have been. */
const isAlone = ({ changes, from }: Piece) => changes.said[from] === says.emptied && changes.origins[from]?.place?.of === 'mysql'

export function holdTransactions({ most, mostMs, sources, after }: HolderOptions): Holder {
  /** In the order of their messages. */
  const lanes = new Map<string, Queue<Piece>>()
  const ahead = new Map<string, number>()
  /** In the order in which the transactions ended. */
  let ends = queue<End>()
  const awaited = new Set<string>()
  const [broken, ended] = [lately(mostKnown), lately(mostKnown)]
  /** By transaction, how many of its changes had come before: of MySQL an end does not tell whether it had, too. */
  const repeats = new Map<string, number>()
  let endedAt = after
  /** Let through, and not written yet, in order. */
  let through: End[] = []
  let writtenAt = after
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
  /** Its connector was started again, and had sent it before. */
  const isRepeated = ({ transaction, lsn }: TransactionMark) =>
    ended.has(transaction) || (lsn !== undefined && endedAt !== undefined && lsn <= endedAt)
  const countRepeats = ({ changes, repeated, from, to }: Piece) => {
    for (let i = from; i < to; i++) {
      const transaction = repeated[i] === 1 ? changes.origins[i]?.transaction : undefined
      if (transaction === undefined || ended.has(transaction)) continue
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
  /** How many changes of a transaction have come, and whether a lane may have more of them to come. */
  const found = (transaction: string, open: boolean) => {
    let [count, mayCome] = [0, !open]
    const isIts = isOf(transaction)
    for (const lane of lanes.values()) {
      let i = 0
      let piece = lane.at(0)
      for (; piece && isIts(piece); piece = lane.at(++i)) if (piece.transaction === transaction) count += piece.counted
      if (!piece) mayCome = true
    }
    return { count, mayCome }
  }
  const wholeOnes = (out: Piece[], open: boolean) => {
    take(out, isFree)
    for (let end = ends.at(0); end; end = ends.at(0)) {
      const { transaction: ending } = end
      take(out, isBefore(end))
      const wanted = changesIn(end)
      if (wanted > 0 && !broken.has(ending)) {
        const { count, mayCome } = found(ending, open)
        const hadCome = count === 0 && (repeats.get(ending) ?? 0) >= wanted
        // A connector that was killed amid a transaction may count in its end only what it has sent since: then more has come than it says.
        if (count !== wanted && mayCome && !hadCome) return
        // Every lane has come to later ones.
        if (count > 0 && count < wanted) inPieces++
        // What is behind it may be the end of a table, or a snapshot: not before all of it.
        take(out, isOf(ending), ({ transaction }) => transaction === ending)
      }
      ends.take(1)
      awaited.delete(ending)
      repeats.delete(ending)
      through.push(end)
      ended.add(ending)
      endedAt = end.lsn ?? endedAt
      take(out, isFree)
    }
  }

  return {
    open(lane) {
      lanes.set(nameOf(lane), queue())
      ahead.set(nameOf(lane), 0)
    },
    add(piece) {
      const name = nameOf(piece)
      lanes.get(name)!.add(piece)
      ahead.set(name, ahead.get(name)! + lengthOf(piece))
      if (piece.collection !== undefined) {
        const own = collections.get(piece.collection) ?? new Set()
        collections.set(piece.collection, own.add(piece.source))
      }
      held += lengthOf(piece)
      countRepeats(piece)
    },
    mark(mark, offset) {
      if (mark.kind !== 'end' || isRepeated(mark) || awaited.has(mark.transaction)) return
      ends.add({ ...mark, offset })
      awaited.add(mark.transaction)
    },
    release({ ms, open, quiet, isAll }) {
      const out: Piece[] = []
      wholeOnes(out, open)
      while (held > most) {
        const [largest] = [...lanes.values()].toSorted((a, b) => b.length() - a.length())
        giveUp(ends.at(0)?.transaction ?? largest!.at(0)!.transaction!)
        wholeOnes(out, open)
      }
      const isWaiting = held > 0 || ends.length() > 0
      quietSince = isWaiting && quiet && out.length === 0 ? (quietSince ?? ms) : undefined
      if (quietSince !== undefined && ms - quietSince >= mostMs) {
        const first = ends.at(0)
        if (!isAll && first) giveUp(first.transaction)
        else {
          for (const lane of lanes.values()) for (const { transaction } of lane) if (transaction !== undefined) giveUp(transaction)
          // All has been read: nothing that they count is to come.
          ends = queue()
          awaited.clear()
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
    done(later) {
      const open = later.size === 0 ? -1 : through.findIndex(({ transaction }) => later.has(transaction))
      const before = open < 0 ? through : through.slice(0, open)
      return {
        next: (open < 0 ? ends.at(0) : through[open])?.offset,
        after: before.findLast(({ lsn }) => lsn !== undefined)?.lsn ?? writtenAt,
      }
    },
    written() {
      through = []
      writtenAt = endedAt
    },
    inPieces: () => inPieces,
  }
}
