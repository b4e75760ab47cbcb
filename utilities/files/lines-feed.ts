/** Standard input as a feed: one topic of one partition, in which each line is a message, until the input ends. */
import type { Readable } from 'node:stream'
import { noMessages, type Feed, type Messages, type Pieces } from '../feed.ts'
import type { Clock } from '../values/clock.ts'
import { Problem } from '../values/problem.ts'
import { lineCutter } from './line-cutter.ts'

type LinesOptions = {
  readonly topic: string
  readonly input: Readable
  readonly clock: Clock
  /** How often a reader that waits hears that there is no more yet. */
  readonly tellEveryMs?: number
}

/** Offsets count the messages from 0. What is read goes by, so it is read once. Its end is not known, and Infinity, before it has come. */
export function openLinesFeed({ topic, input, clock, tellEveryMs = 500 }: LinesOptions): Feed {
  let end = Infinity
  let begun = false
  return {
    ends: async (asked) => (asked === topic ? [{ first: 0, next: end }] : []),
    async *read(asked, { partition, from, signal }) {
      if (asked !== topic || partition !== 0) throw new TypeError(`${topic} is all there is, in partition 0: not ${partition} of ${asked}`)
      if (begun) throw new TypeError(`${topic} is read already, and can be read once`)
      begun = true
      const chunks = (input as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
      const cut = lineCutter(topic)
      let next = 0
      const messages = (lines: Pieces) => {
        const count = lines.starts.length
        next += count
        return messagesOf(lines, { next, skip: Math.min(Math.max(from - (next - count), 0), count), timeMs: Number(clock() / 1_000_000n) })
      }
      try {
        for (let coming = chunks.next(); !signal.aborted;) {
          // Whoever waits for it hears of its failure; nobody may, once the signal aborts.
          coming.catch(() => undefined)
          const arrived = await within(tellEveryMs, coming, signal)
          if (signal.aborted) return
          if (!arrived) {
            yield noMessages(Math.max(next, from), Infinity)
            continue
          }
          const some = messages(cut(arrived.done ? undefined : arrived.value))
          if (arrived.done) {
            end = next
            if (next < from) throw new Problem(`${topic} ended after message ${next}, before ${from}, where reading should go on`, goOn)
          }
          if (some.count > 0) yield { ...some, end }
          if (arrived.done) {
            yield noMessages(end, end)
            return
          }
          coming = chunks.next()
        }
      } finally {
        // An input that nobody reads any more would keep the process alive.
        input.destroy()
      }
    },
    async close() {
      input.destroy()
    },
  }
}

const goOn = 'Give all that was given before, and what is new behind it.'

/** What comes within the time, unless the signal aborts before. */
async function within<T>(forMs: number, coming: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let giveUp!: () => void
  const over = new Promise<undefined>((resolve) => (giveUp = () => resolve(undefined)))
  const timer = setTimeout(giveUp, forMs)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([coming, over])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}

/** The lines before `next`, without the first ones, which were read before. */
function messagesOf(
  { bytes, starts, ends }: Pieces,
  { next, skip, timeMs }: { readonly next: number; readonly skip: number; readonly timeMs: number },
): Omit<Messages, 'end'> {
  const first = next - starts.length + skip
  const count = starts.length - skip
  const none = new Int32Array(count).fill(-1)
  return {
    count,
    offsets: Float64Array.from({ length: count }, (_, i) => first + i),
    times: new Float64Array(count).fill(timeMs),
    keys: { bytes, starts: none, ends: none },
    values: { bytes, starts: starts.subarray(skip), ends: ends.subarray(skip) },
    header: () => undefined,
    next,
  }
}
