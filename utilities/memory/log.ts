/** The log in memory: topics that live as long as the store, for whole lives of versions within milliseconds. */
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { cut } from '../values/batch.ts'
import { Fenced, type Append, type Batch, type Fetched, type Log, type TopicState, type Writer } from '../log.ts'
import { allPartitions, waitingRead } from '../running/waiting-read.ts'
import { Problem } from '../values/problem.ts'
import { saveEntries } from './checkpoints.ts'
import type { MemoryStore, StoredPartition } from './store.ts'

export function openMemoryLog(store: MemoryStore): Log {
  const { topics, topicIds } = store
  return {
    gapless: true,
    async create(topic, partitions) {
      if (!Number.isSafeInteger(partitions) || partitions < 1) throw new RangeError(`topic ${topic}: ${partitions} partitions`)
      const existing = topics.get(topic)?.length
      if (existing === undefined) {
        topics.set(
          topic,
          Array.from({ length: partitions }, () => ({ first: 0, next: 0, batches: [] })),
        )
        topicIds.set(topic, randomUUID())
      } else if (existing !== partitions) throw new Problem(`topic ${topic} has ${existing} partitions, not ${partitions}`, 'Use it so.')
    },
    topics: async () => [...topics].map(([topic, partitions]) => stateOf(topic, partitions)).sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    topicId: async (topic) => (topics.has(topic) ? topicIds.get(topic) : undefined),
    largestMessage: async () => Infinity,
    partitions: async (topic) => topics.get(topic)?.length ?? 0,
    read: (topic, options) =>
      waitingRead(options, {
        fetch: (offset, to) => fetchAt(partitionOf(store, topic, options.partition), placeOf(topic, options.partition), offset, to),
        more: (signal) => moreIn(store, signal),
      }),
    share: (topic, _, signal) => allPartitions(topics.get(topic)?.length ?? 0, signal),
    writer: async (name) => takeWriter(store, name),
    truncate: async (topic, partition, before) => truncate(partitionOf(store, topic, partition), placeOf(topic, partition), before),
    close: async () => {},
  }
}

const stateOf = (topic: string, partitions: readonly StoredPartition[]): TopicState => ({
  topic,
  partitions: partitions.map(({ first, next }) => ({ first, next })),
  bytes: partitions.flatMap(({ batches }) => batches).reduce((sum, { batch }) => sum + batch.bytes.length, 0),
})

function partitionOf({ topics }: MemoryStore, topic: string, partition: number): StoredPartition {
  const partitions = topics.get(topic)
  if (!partitions) throw new Problem(`there is no topic ${topic}`, 'Run: tidemark topics, to see which there are.')
  const found = partitions[partition]
  if (!found) throw new Problem(`topic ${topic} has ${partitions.length} partitions, and no ${partition}`, 'Use one that is there.')
  return found
}

const placeOf = (topic: string, partition: number) => `topic ${topic}, partition ${partition}`

function takeWriter(store: MemoryStore, name: string): Writer {
  const epoch = (store.epochs.get(name) ?? 0) + 1
  store.epochs.set(name, epoch)
  let closed = false
  return {
    async commit({ append = [], save = [] }) {
      if (closed) throw new TypeError(`the writer ${name} is closed`)
      if (store.epochs.get(name) !== epoch) throw new Fenced(`somebody else took over as ${name}`)
      // All that can be refused is looked at first, for a commit is all of it or nothing.
      const places = append.map((one) => ({ partition: partitionOf(store, one.topic, one.partition), batch: whole(one) }))
      const offsets = places.map(({ partition, batch }) => appendTo(partition, batch))
      saveEntries(store, save)
      for (const go of store.waiting) go()
      store.waiting.clear()
      // As from a file: whoever commits in a loop lets timers and signals in.
      await nextTurn()
      return offsets
    },
    async close() {
      closed = true
    },
  }
}

/** A copy that the caller's later use of its arrays does not touch. */
function whole({ topic, batch: { bytes, ends, keys } }: Append): Batch {
  if (keys && keys.length !== ends.length) throw new TypeError(`topic ${topic}: ${ends.length} messages with ${keys.length} keys`)
  const size = ends.at(-1) ?? 0
  if (size > bytes.length) throw new TypeError(`topic ${topic}: messages end at ${size} of ${bytes.length} bytes`)
  return { bytes: bytes.slice(0, size), ends: ends.slice(), ...(keys && { keys: [...keys] }) }
}

function appendTo(partition: StoredPartition, batch: Batch): number {
  const offset = partition.next
  if (batch.ends.length === 0) return offset
  partition.next = offset + batch.ends.length
  partition.batches.push({ offset, next: partition.next, batch })
  return offset
}

/** What the stored batch around the offset holds from there on; undefined at the end. */
function fetchAt({ first, next, batches }: StoredPartition, place: string, offset: number, to: number): Fetched | undefined {
  if (offset < first) {
    throw new Problem(`${place}: the records from ${offset} to ${first - 1} were deleted`, 'Start over from what is left.')
  }
  if (offset > next) {
    throw new Problem(`${place} ends at ${next}, before ${offset}, where reading should go on`, 'Reset what reads it.')
  }
  const stored = batches.find((one) => offset < one.next)
  if (!stored) return undefined
  const stop = Math.min(to, stored.next)
  const { bytes, ends, keys } = cut(stored.batch, offset - stored.offset, stop - stored.offset)
  return { offset, next: stop, batch: { bytes: bytes.slice(), ends: ends.slice(), ...(keys && { keys }) } }
}

const moreIn = ({ waiting }: MemoryStore, signal: AbortSignal | undefined) =>
  new Promise<void>((done) => {
    waiting.add(done)
    signal?.addEventListener('abort', () => (waiting.delete(done), done()), { once: true })
  })

function truncate(partition: StoredPartition, place: string, before: number): void {
  const { first, next } = partition
  if (before > next) throw new Problem(`${place} ends at ${next}, before ${before}`, `Delete up to ${next} at most.`)
  if (before <= first) return
  partition.first = before
  // The oldest that stays may begin before: what it holds from there on keeps its own offsets.
  partition.batches = partition.batches.flatMap((one) => {
    if (one.next <= before || one.offset >= before) return one.next <= before ? [] : [one]
    return [{ offset: before, next: one.next, batch: cut(one.batch, before - one.offset, one.next - one.offset) }]
  })
}
