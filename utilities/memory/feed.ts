/** Topics of others in memory, which whoever holds them fills, trims and takes away: for tests of what reads them. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { noMessages, type Ends, type Feed, type Messages, type Pieces } from '../feed.ts'
import { Problem } from '../values/problem.ts'

/** What is left out is null: a message without a key, or a removal. */
export type Sent = {
  readonly key?: Uint8Array | string
  readonly value?: Uint8Array | string
  /** Milliseconds since 1970. */
  readonly time?: number
  readonly headers?: { readonly [name: string]: Uint8Array | string }
}

export interface MemoryFeed extends Feed {
  make(topic: string, partitions: number): void
  /** The offset of the first of them. */
  append(topic: string, partition: number, messages: readonly Sent[]): number
  /** As a topic forgets its oldest messages; offsets of the others stay. */
  deleteBefore(topic: string, partition: number, offset: number): void
  drop(topic: string): void
}

/** The messages from `first` on. */
type Partition = { first: number; messages: Sent[] }

/** How long to wait before saying again that there is no more, and how many messages are given at once. */
type Options = { readonly tellEveryMs?: number; readonly atOnce?: number }

export function openMemoryFeed({ tellEveryMs = 500, atOnce = 10_000 }: Options = {}): MemoryFeed {
  const topics = new Map<string, readonly Partition[]>()
  /** Readers that wait, to be called once when something has changed. */
  const waiting = new Set<() => void>()
  let closed = false
  const changed = () => {
    for (const go of waiting) go()
    waiting.clear()
  }
  const partitionOf = (topic: string, partition: number): Partition => {
    const partitions = topics.get(topic)
    if (!partitions) throw new Problem(`the topic ${topic} is not there any more`, 'Make it again, or name another one.')
    const found = partitions[partition]
    if (!found) throw new Problem(`topic ${topic} has no partition ${partition}, only ${partitions.length}`, 'Use one that is there.')
    return found
  }
  return {
    make(topic, partitions) {
      topics.set(
        topic,
        Array.from({ length: partitions }, () => ({ first: 0, messages: [] })),
      )
    },
    append(topic, partition, messages) {
      const to = partitionOf(topic, partition)
      const offset = endOf(to)
      to.messages.push(...messages)
      changed()
      return offset
    },
    deleteBefore(topic, partition, offset) {
      const of = partitionOf(topic, partition)
      of.messages.splice(0, offset - of.first)
      of.first = offset
    },
    drop(topic) {
      topics.delete(topic)
      changed()
    },
    ends: async (topic) => (topics.get(topic) ?? []).map((one): Ends => ({ first: one.first, next: endOf(one) })),
    async *read(topic, { partition, from, signal }) {
      for (let at = from; !signal.aborted && !closed;) {
        const of = partitionOf(topic, partition)
        refuseWhatIsNotThere(of, at, `topic ${topic}, partition ${partition}`)
        const end = endOf(of)
        const some = of.messages.slice(at - of.first, at - of.first + atOnce)
        if (some.length > 0) yield messagesOf(some, at, end)
        at += some.length
        if (signal.aborted) return
        // Whoever reads in a loop lets timers and signals in.
        await nextTurn()
        if (at < endOf(of)) continue
        yield noMessages(at, at)
        if (!signal.aborted && at === endOf(of)) await somethingNew(waiting, tellEveryMs, signal)
      }
    },
    async close() {
      closed = true
      changed()
    },
  }
}

const endOf = ({ first, messages }: Partition) => first + messages.length

function refuseWhatIsNotThere(of: Partition, from: number, place: string): void {
  const { first } = of
  const todo = 'Let whoever writes it send all of it again.'
  if (from < first) throw new Problem(`${place}: the messages from ${from} to ${first - 1} were deleted before they were read`, todo)
  if (from > endOf(of)) throw new Problem(`${place} ends at ${endOf(of)}, before ${from}, where reading should go on`, todo)
}

/** Until something has changed, the signal aborts, or so much time has passed. */
function somethingNew(waiting: Set<() => void>, forMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      waiting.delete(done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, forMs)
    waiting.add(done)
    signal.addEventListener('abort', done, { once: true })
  })
}

function messagesOf(sent: readonly Sent[], from: number, end: number): Messages {
  return {
    count: sent.length,
    offsets: Float64Array.from(sent, (_, i) => from + i),
    times: Float64Array.from(sent, ({ time = 0 }) => time),
    keys: piecesOf(sent.map(({ key }) => key)),
    values: piecesOf(sent.map(({ value }) => value)),
    header(message, name) {
      const headers = sent[message]?.headers ?? {}
      return Object.hasOwn(headers, name) ? Buffer.from(headers[name]!) : undefined
    },
    next: from + sent.length,
    end,
  }
}

function piecesOf(each: readonly (Uint8Array | string | undefined)[]): Pieces {
  const pieces = each.map((one) => (one === undefined ? undefined : Buffer.from(one)))
  const starts = new Int32Array(pieces.length).fill(-1)
  const ends = new Int32Array(pieces.length).fill(-1)
  let filled = 0
  pieces.forEach((piece, i) => {
    if (!piece) return
    starts[i] = filled
    ends[i] = filled += piece.length
  })
  return { bytes: Buffer.concat(pieces.filter((piece) => piece !== undefined)), starts, ends }
}
