/** Ends of transactions, as their topic tells them: those that are waited for, in order, and those let through that are not written yet. */
import type { TransactionMark } from '../schemas/foreign/changes.ts'
import { lately, queue } from './queue.ts'
import type { SentLane } from './sent-lanes.ts'

export type End = TransactionMark & {
  /** Where to go on as long as its transaction is not written: where that begins. */
  readonly offset: number
  /**
   * What this counts may not be all of it: its connector was killed amid it, and began it anew or never told its end; or nobody saw it
   * begin. All is there where every lane was read as far as it had been sent when this was.
   */
  readonly isTorn: boolean
  sent?: readonly SentLane[]
}

export type Ends = {
  /**
   * What the topic says at an offset. Whether a torn transaction is waited for from now on: how far lanes were sent by then has to be told.
   */
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
type Begun = { readonly transaction: string; readonly offset: number; times: number }

/** So many transactions are known to have ended. */
const mostKnown = 10_000

/** `after`: where the last transaction that was let through had ended; ends up to there come again. */
export function endsAfter(after: bigint | undefined): Ends {
  let waiting = queue<End>()
  const awaited = new Set<string>()
  const ended = lately(mostKnown)
  let endedAt = after
  /** Begun and not ended, in order. */
  const open: Begun[] = []
  /** Let through, and not written yet, in order. */
  let through: End[] = []
  let writtenAt = after

  const wait = (end: End) => {
    waiting.add(end)
    awaited.add(end.transaction)
  }

  return {
    mark(mark, offset) {
      const { kind, transaction, lsn } = mark
      // Its connector was started again, and had sent it before.
      if (awaited.has(transaction) || ended.has(transaction)) return false
      const at = open.findIndex((one) => one.transaction === transaction)
      const own = open[at]
      if (kind === 'begin') {
        if (own) own.times++
        else open.push({ transaction, offset, times: 1 })
        return false
      }
      if (lsn !== undefined && endedAt !== undefined && lsn <= endedAt) {
        if (own) open.splice(at, 1)
        return false
      }
      // A connector sends one transaction behind the other: those that began before this one have no end.
      const unended = open.splice(0, at + 1).slice(0, -1)
      for (const one of unended) wait({ ...one, kind: 'end', lsn: undefined, changes: new Map(), isTorn: true })
      const isTorn = own?.times !== 1
      wait({ ...mark, offset: own?.offset ?? offset, isTorn })
      return isTorn || unended.length > 0
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
      const kept = later.size === 0 ? -1 : through.findIndex(({ transaction }) => later.has(transaction))
      const before = kept < 0 ? through : through.slice(0, kept)
      return {
        next: (kept < 0 ? (waiting.at(0) ?? open[0]) : through[kept])?.offset,
        after: before.findLast(({ lsn }) => lsn !== undefined)?.lsn ?? writtenAt,
      }
    },
    written() {
      through = []
      writtenAt = endedAt
    },
  }
}
