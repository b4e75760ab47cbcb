/** Reads a topic from a place on and writes what it says, group by group: one write is under way while the next is prepared. */
import type { Fetched } from '../utilities/log.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import type { Flush } from '../utilities/warehouse.ts'
import { gathered } from './gather.ts'
import { cutGroups, type Complete, type Part } from '../streams/cut-groups.ts'

type Writing<Lane> = {
  readonly read: (from: number, until: AbortSignal) => AsyncIterable<Fetched>
  readonly from: number
  readonly flush: Flush | undefined
  readonly signal: AbortSignal
  readonly partsOf: (fetched: Fetched) => Promise<readonly Part<Lane>[]>
  /** Writes the parts together with how far they come: rows without it would be written again after a crash, onto themselves. */
  readonly write: (complete: Complete<Lane>) => Promise<void>
}

export async function written<Lane>({ read, from, flush, signal, partsOf, write }: Writing<Lane>): Promise<void> {
  // A write that fails while more is waited for must not wait for it too.
  const failed = new AbortController()
  const writes = oneAhead(() => failed.abort())
  const stop = AbortSignal.any([signal, failed.signal])
  const groups = cutGroups<Lane>()
  const begin = async (complete: Complete<Lane> | undefined) => {
    if (complete) await writes.begin(() => write(complete))
  }
  try {
    for await (const fetched of gathered((until) => read(from, until), flush, stop)) {
      await begin(groups.take(await partsOf(fetched), fetched.next))
      if (signal.aborted) break
    }
    // At the end of what there is, a group that does not say that it has ended is all that will ever come of it.
    if (!stop.aborted) await begin(groups.rest())
    await writes.settled()
  } catch (error) {
    // Told to stop while the warehouse is away: what was not written has no progress, and is read again.
    if (!signal.aborted || error !== signal.reason) throw error
  }
}
