/** Reading a log that lies in one place: what is there, batch by batch, and for who follows whatever comes. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Fetched, ReadOptions } from '../log.ts'

export type Place = {
  /** What lies there from the offset on, up to `to` at most; undefined at the end. */
  readonly fetch: (offset: number, to: number) => Fetched | undefined
  /** Resolves once there may be more, or when the signal aborts. */
  readonly more: (signal: AbortSignal | undefined) => Promise<void>
}

export async function* waitingRead(options: ReadOptions, { fetch, more }: Place): AsyncGenerator<Fetched> {
  const { from, to = Infinity, follow = false, signal } = options
  let offset = from
  while (offset < to && !signal?.aborted) {
    const fetched = fetch(offset, to)
    if (fetched) {
      yield fetched
      offset = fetched.next
      // All of this is synchronous: a reader in a loop would never let a timer or a signal in.
      await nextTurn()
    } else {
      if (!follow) return
      // An abort only ends the wait; the loop sees the rest.
      await more(signal)
    }
  }
}

/** Whoever runs the stage holds its lease, and so works on every partition until the signal aborts. */
export async function* allPartitions(count: number, signal: AbortSignal): AsyncGenerator<readonly number[]> {
  yield [...Array(count).keys()]
  if (!signal.aborted) await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }))
}
