/**
 * Transactions of which a connector may have lost the beginning, or all. Debezium, started again amid transactions of PostgreSQL that
 * overlap, may go on behind a change of one that was still open: that one says that it begins before the first change that comes of it, or
 * that it has none at all. It can only be the first one that a run of the connector sends.
 */
import type { End } from './ends.ts'
import { mostLosses, type Doubtful, type Missing } from './losses.ts'
import { runOf, type Piece } from './pieces.ts'

/** What a new run of the connector sent first in some lane, and what has come of that transaction. */
type First = { run: string; at: number; first: bigint; last: bigint; came: number; isSeen: boolean }

export type RunsOptions = {
  /** Runs that have sent changes before. */
  readonly known: Iterable<string>
  /** Transactions of which changes may have been written before, by another process. */
  readonly amid: ReadonlySet<string>
  /** What ended without a change, and no change behind it has told yet whether another run had begun by then. */
  readonly doubtful: readonly Doubtful[]
}

export type Runs = {
  /**
   * The first piece of a batch: whether a run begins there. `held`: what has come by now of a transaction; `isWritten`: some of it went
   * already.
   */
  look(piece: Piece, held: (transaction: string) => Iterable<Piece>, isWritten: (transaction: string) => boolean): void
  came(piece: Piece): void
  /** A transaction is let through, in order. */
  ended(end: End, what: Ended): Missing
}

type Ended = {
  /** How many changes its end counts. */
  readonly wanted: number
  /** All that it counts is read here, so that its first change is, too. */
  readonly isAllRead: () => boolean
  /** Where the one before had ended. */
  readonly behind: bigint | undefined
  /** No change has come of it. */
  readonly isEmpty: () => boolean
}

export function watchRuns({ known, amid, doubtful: doubtfulBefore }: RunsOptions): Runs {
  /** Runs of which the first transaction was let through. */
  const begun = new Set(known)
  /** By lane, the run that sent the last change of it. */
  const lastOf = new Map<string, string>()
  /** By transaction. */
  const firsts = new Map<string, First>()
  let doubtful = doubtfulBefore

  const count = (into: First, { changes, messages, from, counted }: Piece) => {
    const place = changes.origins[from]?.place
    if (place?.of !== 'postgres') return
    if (into.came === 0 || place.lsn < into.first) into.first = place.lsn
    if (place.lsn > into.last) into.last = place.lsn
    into.at = Math.max(into.at, messages.times[from]!)
    into.came += counted
  }

  return {
    look(piece, held, isWritten) {
      const { source, partition, changes, messages, repeated } = piece
      const lane = `${source}/${partition}`
      const isChange = (i: number) => changes.origins[i] !== undefined && changes.origins[i].op !== 'r'
      let i = messages.count - 1
      while (i >= 0 && !isChange(i)) i--
      // Headers are slow to find: what ends with the run that the lane had before is all of that run.
      const newest = i < 0 ? undefined : runOf(piece, i)
      if (newest === undefined || newest === lastOf.get(lane)) return
      const end = i
      let last = lastOf.get(lane)
      for (i = 0; i <= end; i++) {
        if (!isChange(i) || repeated[i] === 1) continue
        const run = runOf(piece, i)
        if (run === undefined || run === last) continue
        last = run
        const transaction = changes.origins[i]!.transaction
        if (transaction === undefined || begun.has(run)) continue
        const before = firsts.get(transaction)
        if (before) before.run = run
        else {
          const one = { run, at: 0, first: 0n, last: 0n, came: 0, isSeen: !amid.has(transaction) && !isWritten(transaction) }
          firsts.set(transaction, one)
          for (const earlier of held(transaction)) count(one, earlier)
        }
      }
      lastOf.set(lane, newest)
    },
    came(piece) {
      const one = firsts.size === 0 || piece.transaction === undefined ? undefined : firsts.get(piece.transaction)
      if (one) count(one, piece)
    },
    ended({ transaction, begin, lsn, changes }, { wanted, isAllRead, behind, isEmpty }) {
      // A database tells of no transaction without changes; one of before PostgreSQL 15 does, but then it is rarely one that overlaps.
      const overlaps = begin !== undefined && behind !== undefined && begin < behind
      if (lsn !== undefined && overlaps && [...changes.values()].every((many) => many === 0) && isEmpty())
        doubtful = [...doubtful.filter((before) => before.ended !== String(lsn)), { transaction, ended: String(lsn) }].slice(-mostLosses)
      const one = firsts.get(transaction)
      if (!one) {
        if (wanted > 0) doubtful = []
        return { lost: [], doubtful }
      }
      const { run, at, first, last, came, isSeen } = one
      begun.add(run)
      // Those that lanes have first of it come behind this one.
      for (const [other, { run: own }] of firsts) if (own === run) firsts.delete(other)
      const isTold = begin !== undefined && isSeen && came > 0 && came >= wanted && isAllRead()
      const own = isTold && first > begin ? [{ transaction, ended: String(lsn ?? last) }] : []
      const lost = [...doubtful, ...own].map((missing) => ({ ...missing, run, at }))
      doubtful = []
      return { lost, doubtful }
    },
  }
}
