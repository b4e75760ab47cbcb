/** How much of a partition a reader has still to read: in records where they can be counted, else in offsets. */
import type { Log } from '../utilities/log.ts'

/** `records` is null where it would take too long to count them: a log may take some offsets for marks of its own. */
export type Lag = { readonly offsets: number; readonly records: number | null }

/** So many offsets are read to count what is between them. */
const countedUpTo = 20_000

type Reader = { readonly topic: string; readonly partition: number; readonly next: number }
type Ends = { readonly first: number; readonly next: number }

/** Of a partition that holds the offsets `first` to `next` (excluded). */
export async function lagOf(log: Log, { topic, partition, next: position }: Reader, { first, next }: Ends): Promise<Lag> {
  const from = Math.max(first, position)
  const offsets = Math.max(0, next - from)
  if (log.gapless || offsets === 0) return { offsets, records: offsets }
  if (offsets > countedUpTo) return { offsets, records: null }
  let records = 0
  for await (const { batch } of log.read(topic, { partition, from, to: next, joined: true })) records += batch.ends.length
  return { offsets, records }
}

const noLag: Lag = { offsets: 0, records: 0 }

export const addLags = (lags: readonly Lag[]): Lag =>
  lags.reduce(
    (sum, { offsets, records }) => ({
      offsets: sum.offsets + offsets,
      records: sum.records === null || records === null ? null : sum.records + records,
    }),
    noLag,
  )
