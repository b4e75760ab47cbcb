/** Which partitions of a topic this process should work on, as the members of a group agree on it. */
import { unlessAborted } from '../client/abort.ts'
import { keepMembership, type Group } from './group.ts'
import type { KafkaParts } from '../parts.ts'

/**
 * Yields at the start and whenever members come or go; several changes while the caller is busy become one. Leaves the group as soon as the
 * signal aborts.
 */
export async function* shareTopic(parts: KafkaParts, group: Group, signal: AbortSignal): AsyncGenerator<readonly number[]> {
  if (signal.aborted) return
  await parts.cluster.patiently(() => parts.cluster.leaderOf(group.topic, 0), { signal })
  const done = new AbortController()
  const staying = AbortSignal.any([signal, done.signal])
  let news: readonly number[] | undefined
  let wake = () => {}
  let failure: unknown
  const membership = keepMembership(parts, group, staying, (partitions) => {
    news = partitions
    wake()
  }).catch((error: unknown) => {
    failure = error
    wake()
  })
  try {
    while (!signal.aborted) {
      if (news === undefined && failure === undefined) await unlessAborted(new Promise<void>((resolve) => (wake = resolve)), signal)
      if (failure !== undefined) throw failure
      if (news === undefined || signal.aborted) continue
      const partitions = news
      news = undefined
      yield partitions
    }
  } finally {
    done.abort()
    await membership
  }
}
