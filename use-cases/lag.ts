/** How much of a partition a reader has still to read: in records where they can be counted, else in offsets. */
import { runsOfId } from '../schemas/wire.ts'
import type { Log } from '../utilities/log.ts'

/** `records` is null where it would take too long to count them: a log may take some offsets for marks of its own. */
export type Lag = { readonly offsets: number; readonly records: number | null }

/** So many offsets are read to count what is between them. */
const countedUpTo = 20_000

type Reader = { readonly topic: string; readonly partition: number; readonly next: number }
type Ends = { readonly first: number; readonly next: number }

/**
 * Of a partition that holds the offsets `first` to `next` (excluded). Messages of the schemas `passedOver` are none of the reader's, as far
 * as they are looked at.
 */
export async function lagOf(
  log: Log,
  { topic, partition, next: position }: Reader,
  { first, next }: Ends,
  passedOver: ReadonlySet<string> = new Set(),
): Promise<Lag> {
  const from = Math.max(first, position)
  const offsets = Math.max(0, next - from)
  if (offsets === 0 || (log.gapless && (passedOver.size === 0 || offsets > countedUpTo))) return { offsets, records: offsets }
  if (offsets > countedUpTo) return { offsets, records: null }
  let records = 0
  for await (const { batch } of log.read(topic, { partition, from, to: next, joined: true }))
    for (const run of runsOfId(batch)) if (run.id === undefined || !passedOver.has(run.id)) records += run.to - run.from
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
