/** Works on the partitions of a topic that fall to this process, beginning and ending work as they come and go. */
import type { Log } from '../log.ts'

export type SharesOptions = {
  readonly topic: string
  /** Those who share the topic among themselves. */
  readonly group: string
  /**
   * Go on until the signal aborts; otherwise the work ends by itself, and so does this, once it has ended on every partition that is ours.
   */
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly note?: (text: string) => void
}

/** `work` ends soon after its signal aborts, with what it has in hand saved. The first failure ends the others and is thrown. */
export async function workOnShares(
  log: Log,
  { topic, group, follow, signal, note = () => {} }: SharesOptions,
  work: (partition: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const running = AbortSignal.any([signal, over.signal])
  const tasks = new Map<number, { readonly stop: AbortController; readonly done: Promise<void> }>()
  const finished = new Set<number>()
  let failure: { readonly error: unknown } | undefined
  let ours: readonly number[] = []

  const endWhenFinished = () => {
    if (!follow && ours.every((partition) => finished.has(partition))) over.abort()
  }
  const begin = (partition: number) => {
    const stop = new AbortController()
    const done = work(partition, AbortSignal.any([running, stop.signal])).then(
      () => {
        finished.add(partition)
        endWhenFinished()
      },
      (error: unknown) => {
        failure ??= { error }
        over.abort()
      },
    )
    tasks.set(partition, { stop, done })
  }

  for await (const partitions of log.share(topic, group, running)) {
    const lost = [...tasks].filter(([partition]) => !partitions.includes(partition))
    if (lost.length > 0) note(`${group}: partition ${lost.map(([partition]) => partition).join(', ')} of ${topic} went to another process`)
    for (const [, { stop }] of lost) stop.abort()
    for (const [partition, { done }] of lost) {
      await done
      tasks.delete(partition)
      finished.delete(partition)
    }
    ours = partitions
    for (const partition of partitions) if (!tasks.has(partition)) begin(partition)
    endWhenFinished()
  }
  await Promise.all([...tasks.values()].map(({ done }) => done))
  if (failure) throw failure.error
}
