/**
 * Reading a topic of Kafka: committed messages only, in chunks of a bounded size, the next one under way while the caller works on the
 * last.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../values/problem.ts'
import { cut } from '../values/batch.ts'
import { askLeader, type Trying } from './ask-leader.ts'
import { fetchCodec, type Fetch, type FetchFrom } from './wire/fetch.ts'
import type { KafkaParts } from './parts.ts'
import { unlessAborted } from './client/abort.ts'
import { endsOf } from './topics.ts'
import { code } from './client/trouble.ts'
import type { Fetched, ReadOptions } from '../log.ts'

const fetchBytes = 4 * 1024 * 1024
const chunkBytes = 4 * 1024 * 1024
/**
 * A follower hears of new messages at once; this is how long the broker waits when there are none, and how long an abandoned fetch lives
 * on.
 */
const followMs = 500

export async function* readTopic(parts: KafkaParts, topic: string, options: ReadOptions): AsyncGenerator<Fetched> {
  const { partition, from, to = Infinity, follow = false, signal, joined = false } = options
  if (from >= to || signal?.aborted) return
  const fetch = (at: number) => {
    const what = { topic, partition, from: at, committed: true, maxBytes: fetchBytes, waitMs: follow ? followMs : 0 }
    const fetched = fetchFrom(parts, what, { signal, forMs: follow ? Infinity : undefined })
    // Whoever waits for it hears of its failure; nobody may, when the caller stops reading.
    fetched.catch(() => undefined)
    return fetched
  }
  for (let coming = fetch(from), position = from; position < to;) {
    const fetched = await unlessAborted(coming, signal)
    if (!fetched) return
    const atEnd = !follow && fetched.next >= fetched.lastStable
    if (fetched.next === position && !atEnd && !follow) await sleep(5)
    position = fetched.next
    if (!atEnd && position < to) coming = fetch(position)
    for (const chunk of chunks(fetched, to, joined)) {
      yield chunk
      if (signal?.aborted) return
      await nextTurn()
    }
    if (atEnd) return
  }
}

/** One answer of the partition's leader; a Problem when the offset is not in the log. */
export async function fetchFrom(parts: KafkaParts, what: FetchFrom, trying: Trying = {}): Promise<Fetch> {
  const fetched = await askLeader(parts, what, fetchCodec.answer, trying)
  if (fetched.errorCode === code.offsetOutOfRange) throw await outOfRange(parts, what)
  return fetched
}

const goOn = ({ prefix }: KafkaParts, topic: string) =>
  `To go on with what it holds: tidemark reset ${topic.slice(prefix.length)} --as-it-is`

async function outOfRange(parts: KafkaParts, { topic, partition, from }: FetchFrom): Promise<Problem> {
  const { first, next } = (await endsOf(parts, topic, [partition]))[0]!
  const place = `topic ${topic}, partition ${partition}`
  return from < first
    ? new Problem(`${place}: the records from ${from} to ${first - 1} were deleted`, goOn(parts, topic))
    : new Problem(`${place} ends at ${next}, before ${from}, where reading should go on`, goOn(parts, topic))
}

function* chunks({ messages, offsets, next }: Fetch, to: number, joined: boolean): Generator<Fetched> {
  const { ends } = messages
  let stop = offsets.length
  while (stop > 0 && offsets[stop - 1]! >= to) stop--
  for (let first = 0; first < stop;) {
    const start = first === 0 ? 0 : ends[first - 1]!
    let last = first + 1
    while (last < stop && ends[last]! - start <= chunkBytes && (joined || offsets[last] === offsets[last - 1]! + 1)) last++
    yield {
      offset: offsets[first]!,
      // What lies between this chunk and the next is nothing to see, and need not be looked at again.
      next: Math.min(last < offsets.length ? offsets[last]! : next, to),
      batch: cut(messages, first, last),
      ...(joined && { offsets: offsets.subarray(first, last) }),
    }
    first = last
  }
}
