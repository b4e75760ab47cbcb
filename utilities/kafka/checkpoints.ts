/**
 * Checkpoints in a compacted topic of the Kafka log, written by its commits: read into memory once, and from then on only what is new. The
 * rows of tables have a topic of their own, and are read from it whenever they are asked for.
 */
import type { Fetch, Span } from './wire/fetch.ts'
import type { KafkaLog } from './log.ts'
import type { Packed } from './wire/produce.ts'
import { fetchFrom } from './reader.ts'
import { findCheckpointTopic, nameAndKey, partitionOfName, type CheckpointTopic } from './saves.ts'
import { checkpointTopicName, endsOf, tableTopicName } from './topics.ts'
import { tablePrefix, type Checkpoints } from '../checkpoints.ts'

type Entries = Map<string, Map<string, Uint8Array>>

/** Entries of one name that lie behind a transaction that is still open; null where one was removed. */
type Later = Map<string, Map<string, { readonly offset: number; readonly value: Uint8Array | null }>>

/** What was read of a partition, up to the first transaction that was still open then. */
type Index = { readonly entries: Entries; next: number; readAtMs: number }

/** A removal stays in the topic for days; an index that was not brought up to date for so long might miss one. */
const freshForMs = 24 * 3600 * 1000
const fetchBytes = 4 * 1024 * 1024

export function openKafkaCheckpoints({ kafka }: Pick<KafkaLog, 'kafka'>): Checkpoints & { close(): Promise<void> } {
  const indexes = new Map<number, Index>()
  const turns = new Map<number, Promise<unknown>>()
  let place: CheckpointTopic | undefined
  /** Looked for until somebody has made it: looking at checkpoints makes nothing. */
  const whereTheyLie = async () => (place ??= await findCheckpointTopic(kafka, checkpointTopicName))

  /** All entries of a partition that are committed by now. One call at a time reads on. */
  function current<T>(topic: string, partition: number, look: (entries: Entries, later: Later) => T): Promise<T> {
    const turn = (turns.get(partition) ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        const index = indexOf(partition, Date.now())
        // What is committed now lies before the end as it is now, but maybe behind a transaction of somebody else that is open.
        const { stable, end } = await readOn(topic, partition, index)
        return look(index.entries, stable < end ? await decidedBetween(topic, partition, stable, end) : new Map())
      })
    turns.set(partition, turn)
    return turn
  }

  function indexOf(partition: number, nowMs: number): Index {
    const index = indexes.get(partition)
    const fresh = index && nowMs - index.readAtMs < freshForMs ? index : { entries: new Map(), next: -1, readAtMs: nowMs }
    fresh.readAtMs = nowMs
    indexes.set(partition, fresh)
    return fresh
  }

  const fetch = (topic: string, partition: number, from: number, committed: boolean): Promise<Fetch> =>
    fetchFrom(kafka, { topic, partition, from, committed, maxBytes: fetchBytes, waitMs: 0 })

  async function readOn(topic: string, partition: number, index: Index): Promise<{ readonly stable: number; readonly end: number }> {
    if (index.next < 0) index.next = (await endsOf(kafka, topic, [partition]))[0]!.first
    for (;;) {
      const fetched = await fetch(topic, partition, index.next, true)
      take(index.entries, fetched)
      index.next = fetched.next
      if (fetched.next >= fetched.lastStable) return { stable: fetched.next, end: fetched.highWatermark }
    }
  }

  /** Entries of the transactions that were committed in this stretch, beside others that are open. */
  async function decidedBetween(topic: string, partition: number, from: number, to: number): Promise<Later> {
    const later: Later = new Map()
    let undecided: { readonly fetched: Fetch; readonly span: Span }[] = []
    for (let at = from; at < to;) {
      const fetched = await fetch(topic, partition, at, false)
      if (fetched.next === at) break
      for (const span of fetched.spans) {
        if (span.marker === undefined) undecided.push({ fetched, span })
        else {
          for (const one of undecided)
            if (one.span.producer === span.producer && span.marker === 'commit') takeLater(later, one.fetched, one.span)
          undecided = undecided.filter((one) => one.span.producer !== span.producer)
        }
      }
      at = fetched.next
    }
    return later
  }

  /** As of now: what is read later goes into the same map. */
  async function found<T>(
    name: string,
    look: (entries: ReadonlyMap<string, Uint8Array> | undefined, later: LaterEntries | undefined) => T,
  ): Promise<T> {
    if (name.startsWith(tablePrefix)) throw new TypeError(`${name} is of a table, whose rows are read one behind the other`)
    const lie = await whereTheyLie()
    if (!lie) return look(undefined, undefined)
    return current(lie.topic, partitionOfName(name, lie.partitions), (entries, later) => look(entries.get(name), later.get(name)))
  }

  /** Kafka keeps the last of each for certain, and those before for a while. */
  async function* tableEntries(name: string): AsyncGenerator<readonly (readonly [key: string, value: Uint8Array])[]> {
    const lie = await findCheckpointTopic(kafka, tableTopicName)
    if (!lie) return
    const [topic, partition] = [lie.topic, partitionOfName(name, lie.partitions)]
    for (let from = (await endsOf(kafka, topic, [partition]))[0]!.first; ;) {
      const { messages, offsets, next, lastStable } = await fetch(topic, partition, from, true)
      const some: (readonly [string, Uint8Array])[] = []
      for (let i = 0; i < offsets.length; i++) {
        const { name: own, key, value } = entryAt(messages, i)
        if (own === name && value) some.push([key, value])
      }
      if (some.length > 0) yield some
      if (next >= lastStable) return
      from = next
    }
  }

  return {
    load: (name) => found(name, merged),
    lookup: (name) =>
      found(name, (entries, later) => ({
        get(key) {
          const decided = later?.get(key)
          return decided ? (decided.value ?? undefined) : entries?.get(key)
        },
      })),
    async *entries(name) {
      if (name.startsWith(tablePrefix)) return yield* tableEntries(name)
      const all = [...(await found(name, merged))]
      for (let from = 0; from < all.length; from += 5000) yield all.slice(from, from + 5000)
    },

    async names(prefix) {
      const lie = await whereTheyLie()
      if (!lie) return []
      const found = await Promise.all(
        Array.from({ length: lie.partitions }, (_, partition) =>
          current(lie.topic, partition, (entries, later) => {
            const names = [...new Set([...entries.keys(), ...later.keys()])].filter((name) => name.startsWith(prefix))
            return names.filter((name) => !later.has(name) || merged(entries.get(name), later.get(name)).size > 0)
          }),
        ),
      )
      return found.flat().sort()
    },

    async close() {
      indexes.clear()
    },
  }
}

/** In the order of the log: the last one counts. */
function take(entries: Entries, { messages, offsets }: Fetch): void {
  for (let i = 0; i < offsets.length; i++) {
    const { name, key, value } = entryAt(messages, i)
    const ofName = entries.get(name) ?? new Map<string, Uint8Array>()
    if (value) entries.set(name, ofName.set(key, value))
    else if (ofName.delete(key) && ofName.size === 0) entries.delete(name)
  }
}

/**
 * In the order in which transactions end: of one entry, the one that lies furthest back in the log counts, as it will for those who read it
 * later.
 */
function takeLater(later: Later, { messages, offsets }: Fetch, { first, last }: Span): void {
  for (let i = first; i < last; i++) {
    const { name, key, value } = entryAt(messages, i)
    const ofName = later.get(name) ?? later.set(name, new Map()).get(name)!
    if ((ofName.get(key)?.offset ?? -1) < offsets[i]!) ofName.set(key, { offset: offsets[i]!, value })
  }
}

function entryAt({ bytes, ends, keys, absent }: Packed, i: number) {
  return { ...nameAndKey(keys![i]!), value: absent?.[i] ? null : bytes.slice(i === 0 ? 0 : ends[i - 1]!, ends[i]!) }
}

type LaterEntries = ReadonlyMap<string, { readonly value: Uint8Array | null }>

function merged(entries: ReadonlyMap<string, Uint8Array> | undefined, later: LaterEntries | undefined): ReadonlyMap<string, Uint8Array> {
  const all = new Map(entries)
  for (const [key, { value }] of later ?? []) {
    if (value) all.set(key, value)
    else all.delete(key)
  }
  return all
}
