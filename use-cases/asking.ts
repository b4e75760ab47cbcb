/** What a use case is given that changes versions: it asks first, reports meanwhile, and tells how it ended. */
import type { Progress } from '../versions/bring.ts'

export type Asking<Shown, Ended> = {
  /** Whether to go on, by whoever gave the order: nothing is changed before. */
  readonly agree: (what: Shown) => Promise<boolean>
  /** Hears how it ended, and only then is it settled: an order that was cut short before is never taken for one that was told. */
  readonly tell: (ended: Ended) => void
  readonly signal: AbortSignal
  readonly report: (news: VersionNews) => void
}

/** How far the rows of a version have come. */
export type VersionNews = Progress & { readonly version: number }

/** The first news of any work: whoever measures how fast it is begins here. */
export const beginning: Progress = { step: 'beginning', rows: 0, seq: 0, of: 0 }

/** Tells it, and gives it on. */
export const telling =
  <Ended>(tell: (ended: Ended) => void) =>
  (ended: Ended): Ended => {
    tell(ended)
    return ended
  }
