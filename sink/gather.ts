/** Joins batches of a log into larger ones, for a warehouse where a write costs much however small it is. */
import { offsetOf } from '../streams/dead.ts'
import { joinedPieces } from '../streams/runs-together.ts'
import type { Fetched } from '../utilities/log.ts'
import type { Flush } from '../utilities/warehouse.ts'

/**
 * So many messages at once, or fewer when the first of them has waited so long or the reader has come to its end. `read` reads until its
 * signal aborts, which happens when whoever takes the batches has had enough.
 */
export async function* gathered(
  read: (signal: AbortSignal) => AsyncIterable<Fetched>,
  flush: Flush | undefined,
  signal: AbortSignal,
): AsyncIterable<Fetched> {
  if (!flush) return yield* read(signal)
  const enough = new AbortController()
  const source = read(AbortSignal.any([signal, enough.signal]))[Symbol.asyncIterator]()
  let held: Fetched[] = []
  let timer: NodeJS.Timeout | undefined
  let due: Promise<'due'> | undefined
  const taken = () => {
    const all = joined(held)
    clearTimeout(timer)
    held = []
    due = undefined
    return all
  }
  try {
    let coming = source.next()
    for (;;) {
      // While a batch is being written nobody waits for the next: a failure is met when its turn comes.
      coming.catch(() => {})
      const first = due ? await Promise.race([coming, due]) : await coming
      if (first === 'due') {
        yield taken()
        continue
      }
      if (first.done) break
      held.push(first.value)
      const messages = held.reduce((sum, { batch }) => sum + batch.ends.length, 0)
      if (messages >= flush.rows) yield taken()
      else due ??= new Promise((resolve) => (timer = setTimeout(() => resolve('due'), flush.everyMs)))
      coming = source.next()
    }
    if (held.length > 0) yield taken()
  } finally {
    clearTimeout(timer)
    enough.abort()
    await source.return?.()
  }
}

function joined(parts: readonly Fetched[]): Fetched {
  const first = parts[0]!
  if (parts.length === 1) return first
  return {
    offset: first.offset,
    next: parts.at(-1)!.next,
    batch: joinedPieces(parts.map(({ batch }) => ({ batch, from: 0, to: batch.ends.length }))),
    offsets: Float64Array.from(parts.flatMap((part) => Array.from(part.batch.ends, (_, message) => offsetOf(part, message)))),
  }
}
