/** Runs a task for each thing that there is to work on, and for each that comes while the others run. */
import { setTimeout as sleep } from 'node:timers/promises'

const lookEveryMs = 2000

type Work<Thing> = {
  /** Those that are there. */
  readonly first: readonly Thing[]
  /** Those that are there by now, the first ones among them. */
  readonly find: () => Promise<readonly Thing[]>
  /** What tells one from another. */
  readonly nameOf: (thing: Thing) => string
  readonly work: (thing: Thing, signal: AbortSignal) => Promise<void>
  /** Go on looking for more until the signal aborts. */
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** One that fails stops the others, which save what they have in hand, and is thrown: better than to limp on without it. */
export async function workAsTheyCome<Thing>({ first, find, nameOf, work, follow, signal: asked }: Work<Thing>): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([asked, failed.signal])
  const tasks = new Map<string, Promise<void>>()
  const begin = (things: readonly Thing[]) => {
    for (const thing of things) {
      if (tasks.has(nameOf(thing))) continue
      const task = work(thing, signal)
      // Heard at once, whatever is waited for then; the tasks themselves are looked at in the end.
      task.catch((error: unknown) => failed.abort(error))
      tasks.set(nameOf(thing), task)
    }
  }
  begin(first)
  try {
    while (follow && !signal.aborted) {
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) begin(await find())
    }
    await Promise.all(tasks.values())
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(tasks.values())
    throw error
  }
}
