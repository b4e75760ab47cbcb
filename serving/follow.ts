/** Follows a partition of a topic, group by group, and has what it says written together with how far it has come. */
import { cutGroups, type Complete, type Part } from '../streams/cut-groups.ts'
import type { Fetched, Log } from '../utilities/log.ts'

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
  const writes = gatheredWrites(write, () => failed.abort())
  const stop = AbortSignal.any([signal, failed.signal])
  const groups = cutGroups<Lane>()
  let from = following.from
  for (const follow of [false, true]) {
    for await (const fetched of log.read(topic, { partition, from, joined: true, follow, signal: stop })) {
      const complete = groups.take(await partsOf(fetched), fetched.next)
      if (complete) await writes.begin(complete)
      from = fetched.next
      if (stop.aborted) break
    }
    await writes.settled()
    if (signal.aborted) return
    if (!follow) caughtUp()
  }
}

/** So many rows are worth one write: keys by chance lie on pages of their own, which are written once for all of them. */
const mostAtOnce = 20_000

/** What comes while a write is under way is written with the next one. */
function gatheredWrites<Lane>(write: (complete: Complete<Lane>) => Promise<void>, onFailure: () => void) {
  let waiting: Complete<Lane> | undefined
  let [writing, rows]: [Promise<void> | undefined, number] = [undefined, 0]
  const next = async (): Promise<void> => {
    while (waiting) {
      const now = waiting
      waiting = undefined
      rows = 0
      await write(now)
    }
    writing = undefined
  }
  return {
    /** Resolves when there is room for more; throws what a write has failed with. */
    async begin(complete: Complete<Lane>): Promise<void> {
      if (writing && rows >= mostAtOnce) await writing
      waiting = waiting ? { parts: [...waiting.parts, ...complete.parts], next: complete.next } : complete
      rows += complete.parts.reduce((sum, { columns }) => sum + columns.count, 0)
      if (writing) return
      writing = next()
      // Whoever waits for it next gets the error; until then it must not count as unhandled.
      writing.catch(onFailure)
    },
    settled: async (): Promise<void> => writing,
  }
}
