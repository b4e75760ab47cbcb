/**
 * Holds changes until their database's transaction is whole: the topic of transactions says in which order they ended, and how many changes
 * each has. What cannot be made whole goes as it came, and is counted.
 */
import type { TransactionMark } from '../schemas/foreign/changes.ts'
import type { Lane, Piece } from './pieces.ts'

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
  /** What may be written now, in order. `open`: all lanes that there are; `quiet`: every topic has been read to its end. */
  release(now: { readonly ms: number; readonly open: boolean; readonly quiet: boolean }): readonly Piece[]
  /** Messages that are held. */
  held(): number
  /** Whether more of a lane should be read. */
  hasRoom(lane: Lane): boolean
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
const [aheadOfLane, aheadOfAll] = [5_000, 30_000]
/** So many transactions are known to have been given up, or to have ended. */
const mostKnown = 10_000

const nameOf = ({ source, partition }: Pick<Lane, 'source' | 'partition'>) => `${source}/${partition}`
const lengthOf = ({ from, to }: Piece) => to - from

export function holdTransactions({ most, mostMs, sources, after }: HolderOptions): Holder {
  /** In the order of their messages. */
  const lanes = new Map<string, Piece[]>()
  /** In the order in which the transactions ended. */
  const ends: End[] = []
  const [broken, ended] = [new Set<string>(), new Set<string>()]
  let endedAt = after
  /** Let through, and not written yet, in order. */
  let through: End[] = []
  let writtenAt = after
  const collections = new Set<string>()
  let [held, inPieces] = [0, 0]
  let quietSince: number | undefined

  const isOurs = (collection: string) =>
    collections.has(collection) || sources.some(({ topic }) => topic === collection || topic.endsWith(`.${collection}`))
  const changesIn = ({ changes }: End) => [...changes].reduce((sum, [collection, count]) => sum + (isOurs(collection) ? count : 0), 0)
  const giveUp = (transaction: string) => {
    if (!broken.has(transaction)) inPieces++
    know(broken, transaction)
  }
  const know = (some: Set<string>, transaction: string) => {
    some.add(transaction)
    if (some.size > mostKnown) some.delete(some.values().next().value!)
  }
  /** Its connector was started again, and had sent it before. */
  const isRepeated = ({ transaction, lsn }: TransactionMark) =>
    ended.has(transaction) || (lsn !== undefined && endedAt !== undefined && lsn <= endedAt)
  /** From the front of every lane, as long as it may go. */
  const take = (out: Piece[], mayGo: (piece: Piece) => boolean) => {
    for (const lane of lanes.values()) {
      let count = 0
      while (count < lane.length && mayGo(lane[count]!)) held -= lengthOf(lane[count++]!)
      if (count > 0) out.push(...lane.splice(0, count))
    }
  }
  const isFree = ({ transaction }: Piece) => transaction === undefined || broken.has(transaction)
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
    for (const lane of lanes.values()) {
      let i = 0
      while (i < lane.length && lane[i]!.transaction === transaction) count += lane[i++]!.counted
      if (i === lane.length) mayCome = true
    }
    return { count, mayCome }
  }
  const wholeOnes = (out: Piece[], open: boolean) => {
    take(out, isFree)
    while (ends.length > 0) {
      const [end] = ends as [End]
      take(out, isBefore(end))
      const wanted = changesIn(end)
      if (wanted > 0 && !broken.has(end.transaction)) {
        const { count, mayCome } = found(end.transaction, open)
        if (count < wanted && mayCome) return
        // Every lane has come to later ones.
        if (count > 0 && count < wanted) inPieces++
        take(out, ({ transaction }) => transaction === end.transaction)
      }
      ends.shift()
      through.push(end)
      know(ended, end.transaction)
      endedAt = end.lsn ?? endedAt
      take(out, isFree)
    }
  }

  return {
    open: (lane) => void lanes.set(nameOf(lane), []),
    add(piece) {
      lanes.get(nameOf(piece))!.push(piece)
      if (piece.collection !== undefined) collections.add(piece.collection)
      held += lengthOf(piece)
    },
    mark(mark, offset) {
      if (mark.kind === 'end' && !isRepeated(mark) && ends.every(({ transaction }) => transaction !== mark.transaction))
        ends.push({ ...mark, offset })
    },
    release({ ms, open, quiet }) {
      const out: Piece[] = []
      wholeOnes(out, open)
      while (held > most) {
        const [largest] = [...lanes.values()].toSorted((a, b) => b.length - a.length)
        giveUp(ends[0]?.transaction ?? largest![0]!.transaction!)
        wholeOnes(out, open)
      }
      const isWaiting = held > 0 || ends.length > 0
      quietSince = isWaiting && quiet && out.length === 0 ? (quietSince ?? ms) : undefined
      if (quietSince !== undefined && ms - quietSince >= mostMs) {
        for (const lane of lanes.values()) for (const { transaction } of lane) if (transaction !== undefined) giveUp(transaction)
        // All has been read: nothing that they count is to come.
        ends.length = 0
        wholeOnes(out, open)
      }
      return out
    },
    held: () => held,
    hasRoom(lane) {
      const own = lanes.get(nameOf(lane))!
      // One that is not whole yet has to be read on.
      const isOne = own.length > 0 && own[0]!.transaction !== undefined && own[0]!.transaction === own.at(-1)!.transaction
      const ahead = own.reduce((sum, piece) => sum + lengthOf(piece), 0)
      return ahead === 0 || isOne || (ahead <= aheadOfLane && held <= aheadOfAll)
    },
    done(later) {
      const open = through.findIndex(({ transaction }) => later.has(transaction))
      const before = open < 0 ? through : through.slice(0, open)
      return {
        next: (open < 0 ? ends[0] : through[open])?.offset,
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
