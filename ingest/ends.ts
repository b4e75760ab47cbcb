/** Ends of transactions, as their topic tells them: those that are waited for, in order, and those let through that are not written yet. */
import type { TransactionMark } from '../schemas/foreign/changes.ts'
import type { Lane } from './pieces.ts'
import { lately, queue } from './queue.ts'

/** How far a lane was sent, committed or not. */
export type SentLane = Pick<Lane, 'source' | 'partition'> & { readonly to: number }

export type End = TransactionMark & {
  /** Where to go on as long as its transaction is not written: where that begins. */
  readonly offset: number
  /**
   * Its connector was killed amid it and began it anew, and counts what it has sent since then. All of it is there where every lane was
   * read as far as it had been sent when this was.
   */
  readonly isTorn: boolean
  sent?: readonly SentLane[]
}

export type Ends = {
  /** What the topic says at an offset. Whether it is the end of a torn transaction: how far lanes were sent has to be told then. */
  mark(mark: TransactionMark, offset: number): boolean
  sent(lanes: readonly SentLane[]): void
  /** The one that is waited for. */
  first(): End | undefined
  length(): number
  hasEnded(transaction: string): boolean
  /** The first is let through. */
  pass(): void
  /** Nothing is waited for any more. */
  giveUp(): void
  /**
   * Where to go on in the topic once all that was let through is written, but for `later` ones: an offset, undefined where all has been
   * dealt with that was read; and where the last of them had ended, where the ends say so.
   */
  done(later: ReadonlySet<string>): { readonly next: number | undefined; readonly after: bigint | undefined }
  /** What was let through is written. */
  written(): void
}

/** Where a transaction begins in the topic, and how often it did. */
type Begun = { readonly transaction: string; readonly offset: number; readonly times: number }

/** So many transactions are known to have ended. */
const mostKnown = 10_000

/** `after`: where the last transaction that was let through had ended; ends up to there come again. */
export function endsAfter(after: bigint | undefined): Ends {
  let waiting = queue<End>()
  const awaited = new Set<string>()
  const ended = lately(mostKnown)
  let endedAt = after
  let begun: Begun | undefined
  /** Let through, and not written yet, in order. */
  let through: End[] = []
  let writtenAt = after

  /** Its connector was started again, and had sent it before. */
  const isRepeated = ({ transaction, lsn }: TransactionMark) =>
    ended.has(transaction) || (lsn !== undefined && endedAt !== undefined && lsn <= endedAt)

  return {
    mark(mark, offset) {
      const { kind, transaction } = mark
      const own = begun?.transaction === transaction ? begun : undefined
      if (kind === 'begin') {
        // A connector sends one transaction behind the other: one that begins twice had not ended, and is counted from the start again.
        begun = { transaction, offset: own?.offset ?? offset, times: (own?.times ?? 0) + 1 }
        return false
      }
      if (own) begun = undefined
      if (isRepeated(mark) || awaited.has(transaction)) return false
      // Of one whose beginning was not seen, nobody knows how often it began.
      const isTorn = own?.times !== 1
      waiting.add({ ...mark, offset: own?.offset ?? offset, isTorn })
      awaited.add(transaction)
      return isTorn
    },
    sent(lanes) {
      for (const end of waiting) if (end.isTorn) end.sent ??= lanes
    },
    first: () => waiting.at(0),
    length: () => waiting.length(),
    hasEnded: (transaction) => ended.has(transaction),
    pass() {
      for (const end of waiting.take(1)) {
        awaited.delete(end.transaction)
        ended.add(end.transaction)
        through.push(end)
        endedAt = end.lsn ?? endedAt
      }
    },
    giveUp() {
      waiting = queue()
      awaited.clear()
    },
    done(later) {
      const open = later.size === 0 ? -1 : through.findIndex(({ transaction }) => later.has(transaction))
      const before = open < 0 ? through : through.slice(0, open)
      return {
        next: (open < 0 ? (waiting.at(0) ?? begun) : through[open])?.offset,
        after: before.findLast(({ lsn }) => lsn !== undefined)?.lsn ?? writtenAt,
      }
    },
    written() {
      through = []
      writtenAt = endedAt
    },
  }
}
