/** Follows a partition of a topic, group by group, and has what it says written together with how far it has come. */
import { cutGroups, type Complete, type Part } from '../streams/cut-groups.ts'
import type { Fetched, Log } from '../utilities/log.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'

export type Following<Lane> = {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly partsOf: (fetched: Fetched) => Promise<readonly Part<Lane>[]>
  /** Writes the parts together with how far they come. */
  readonly write: (complete: Complete<Lane>) => Promise<void>
  /** What lay there at first is written. */
  readonly caughtUp: () => void
  readonly signal: AbortSignal
}

/** At the end of what there is, a group that has not ended waits for the rest. */
export async function followPartition<Lane>(log: Log, following: Following<Lane>): Promise<void> {
  const { topic, partition, partsOf, write, caughtUp, signal } = following
  // A write that fails while more is waited for must not wait for it too.
  const failed = new AbortController()
  const writes = oneAhead(() => failed.abort())
  const stop = AbortSignal.any([signal, failed.signal])
  const groups = cutGroups<Lane>()
  let from = following.from
  for (const follow of [false, true]) {
    for await (const fetched of log.read(topic, { partition, from, joined: true, follow, signal: stop })) {
      const complete = groups.take(await partsOf(fetched), fetched.next)
      if (complete) await writes.begin(() => write(complete))
      from = fetched.next
      if (stop.aborted) break
    }
    await writes.settled()
    if (signal.aborted) return
    if (!follow) caughtUp()
  }
}
