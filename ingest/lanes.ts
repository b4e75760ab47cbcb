/** Lanes: every partition of every topic, read side by side, each as far ahead as there is room for. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Feed } from '../utilities/feed.ts'
import { Problem } from '../utilities/values/problem.ts'
import { beginning } from './beginning.ts'
import { bell, type Bell } from './bell.ts'
import type { Seen } from './newest.ts'
import { piecesOf, type Lane, type Piece } from './pieces.ts'
import type { IngestPlace } from './place.ts'
import { sentLanes } from './sent-lanes.ts'
import { newPartition, placeFrom, type PartitionPlace } from './sources.ts'
import type { TopicSource, TransactionTopic } from './topic-source.ts'
import { holdTransactions, type Holder } from './transactions.ts'

export type LanesOptions = {
  readonly sources: readonly TopicSource[]
  readonly transactions: readonly TransactionTopic[]
  /** How long a transaction is waited for where all has been read, and how many messages are held for it. */
  readonly holdMs: number
  readonly holdMessages: number
  /** Topics of which messages that are gone may be missing: they are read from what is there. */
  readonly acceptGap: readonly string[]
  readonly signal: AbortSignal
  /** Hears once what a person should know. */
  readonly note: (text: string) => void
  /** Messages of a lane that were released and are not written yet. */
  readonly kept: (lane: Lane) => number
}

type Reading = {
  readonly topic: string
  readonly partition: number
  readonly several: boolean
  next: number
  end: number
  lookedAtMs: number
  /** It waits until there is room for more. */
  isFull?: boolean
  isOver?: true
}

export type Lanes = {
  /** Rings when there is something to release, or to look at. */
  readonly news: Bell
  /** Whether it is worth while to write what has been read: it is much, or nothing more can be read at once. */
  isRipe(): boolean
  /** What may be written now, in order; a failure of whoever reads is thrown. */
  release(): readonly Piece[]
  /** To be called when what was released is written. */
  written(): void
  /** Whether a source has nothing more to give: all of it was read a moment ago, and nothing is held. */
  isAtEnd(source: string): boolean
  /** Topics that are not there. */
  missing(): readonly string[]
  /** Whether a topic has got partitions that are not read. */
  haveGrown(): Promise<boolean>
  /** Of the topics of transactions: where to go on once all is written that was released, but for these, and how many were in pieces. */
  ends(later: ReadonlySet<string>): IngestPlace['ends']
  stop(): Promise<void>
}

/** An answer of so long ago tells nothing. */
const freshMs = 2_000
const lookAgainMs = 2_000
/** So many messages that are not held are worth a commit. */
const enough = 10_000
/** Behind a barrier. */
const mostKept = 5_000

export async function readLanes(feed: Feed, place: IngestPlace, options: LanesOptions): Promise<Lanes> {
  const { sources, transactions, holdMs, holdMessages, acceptGap, note } = options
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const [news, room] = [bell(), bell()]
  /** By source; of a topic of transactions, by its name. */
  const readings = new Map<string, Reading[]>()
  const endsName = (topic: string) => `ends in ${topic}`
  const missing = new Set<string>()
  const tasks: Promise<void>[] = []
  const said = new Set<string>()
  let failure: { readonly error: unknown } | undefined
  const groups = [undefined, ...transactions].map((ends) => {
    const own = sources.filter((one) => one.transactions === ends?.topic)
    const after = (ends && place.ends[ends.topic]?.after) ?? undefined
    const held = own.map(({ name, topic }) => ({ source: name, topic }))
    const options = { most: holdMessages, mostMs: holdMs, sources: held, after: after === undefined ? undefined : BigInt(after) }
    return { ends, own, holder: holdTransactions(options) }
  })
  const sayOnce = (text: string) => {
    if (said.has(text)) return
    said.add(text)
    note(text)
  }
  const run = (task: () => Promise<void>) => {
    tasks.push(
      task().catch((error: unknown) => {
        if (signal.aborted && !(error instanceof Problem)) return
        failure ??= { error }
        news.ring()
      }),
    )
  }
  /** Its partitions, each from where it was left; a topic that is not there is waited for. */
  const open = (name: string, topic: string, placeOf: (partition: number) => number | undefined, read: (one: Reading) => Promise<void>) =>
    run(async () => {
      let there = await feed.ends(topic)
      readings.set(name, [])
      while (there.length === 0) {
        missing.add(topic)
        sayOnce(`${topic}: there is no such topic yet`)
        await sleep(lookAgainMs, undefined, { signal }).catch(() => undefined)
        if (signal.aborted) return
        there = await feed.ends(topic)
      }
      missing.delete(topic)
      for (const [partition, { first, next }] of there.entries()) {
        const from = beginning({ topic, partition, first, next, left: placeOf(partition) }, { acceptGap, note })
        const reading: Reading = { topic, partition, several: there.length > 1, next: from, end: next, lookedAtMs: -Infinity }
        readings.get(name)!.push(reading)
        run(async () => {
          await read(reading)
          // What ends by itself, as standard input does, has nothing more.
          if (!signal.aborted) reading.isOver = true
          news.ring()
        })
      }
      news.ring()
    })
  const waitForRoom = async (reading: Reading, hasRoom: () => boolean) => {
    while (!hasRoom() && !signal.aborted) {
      reading.isFull = true
      await room.wait(room.rings(), 1000)
    }
    reading.isFull = false
  }
  const readSource = (source: TopicSource, holder: Holder) => async (reading: Reading) => {
    const { partition, topic, several } = reading
    const lane: Lane = { source: source.name, partition, several }
    let newest = seenIn(place.sources[source.name]?.partitions[partition] ?? newPartition)
    let last: Piece | undefined
    holder.open(lane, reading.next)
    for await (const messages of feed.read(topic, { partition, from: reading.next, signal })) {
      if (messages.count > 0) {
        const changes = await source.decode(messages)
        for (const text of changes.notes) sayOnce(text)
        const pieces = piecesOf(lane, messages, changes, { newest, held: source.transactions !== undefined })
        for (const piece of pieces) holder.add(piece)
        last = pieces.at(-1)!
        newest = last.newest
      } else if (messages.next > reading.next) {
        // Marks of Kafka's own transactions that nobody sees end a partition, too: what waits for its end has to hear of them.
        const changes = await source.decode(messages)
        const { transaction, collection } = last ?? { transaction: undefined, collection: undefined }
        const [repeated, before] = [new Uint8Array(0), newest]
        holder.add({ ...lane, messages, changes, from: 0, to: 0, transaction, collection, counted: 0, repeated, before, newest })
      }
      Object.assign(reading, { next: messages.next, end: messages.end, lookedAtMs: performance.now() })
      news.ring()
      await waitForRoom(reading, () => holder.hasRoom(lane) && options.kept(lane) <= mostKept)
    }
  }
  const readEnds =
    ({ topic, decode }: TransactionTopic, own: readonly TopicSource[], holder: Holder) =>
    async (reading: Reading) => {
      if (reading.partition > 0) sayOnce(`${topic} has several partitions: in which order transactions ended cannot be known; give it one`)
      for await (const messages of feed.read(topic, { partition: reading.partition, from: reading.next, signal })) {
        const marks = messages.count > 0 ? await decode(messages) : []
        let isTorn = false
        for (const [i, mark] of marks.entries()) {
          if (mark && 'dead' in mark) sayOnce(`${topic}: ${mark.dead}`)
          else if (mark && holder.mark(mark, messages.offsets[i]!)) isTorn = true
        }
        if (isTorn) holder.sent(await sentLanes(feed, own))
        Object.assign(reading, { next: messages.next, end: messages.end, lookedAtMs: performance.now() })
        news.ring()
        await waitForRoom(reading, () => holder.hasRoomForEnds())
      }
    }
  for (const { ends, own, holder } of groups) {
    if (ends) open(endsName(ends.topic), ends.topic, () => place.ends[ends.topic]?.next, readEnds(ends, own, holder))
    for (const source of own)
      open(
        source.name,
        source.topic,
        (partition) => (source.isFleeting ? undefined : place.sources[source.name]?.partitions[partition]?.next),
        readSource(source, holder),
      )
  }

  const isRead = (name: string, topic: string, orFull = false) => {
    const now = performance.now()
    const own = readings.get(name)
    return (
      own !== undefined &&
      (missing.has(topic) || own.length > 0) &&
      own.every((one) => one.isOver || (orFull && one.isFull) || (one.next >= one.end && now - one.lookedAtMs < freshMs))
    )
  }
  return {
    news,
    isRipe() {
      if (failure || groups.some(({ ends, holder }) => !ends && holder.held() >= enough)) return true
      return [...readings.values()].every((all) => all.every((one) => one.isOver || one.isFull || one.next >= one.end))
    },
    release() {
      if (failure) throw failure.error
      const ms = performance.now()
      const released = groups.flatMap(({ ends, own, holder }) => {
        const open = own.every(({ name, topic }) => missing.has(topic) || (readings.get(name) ?? []).length > 0)
        const areRead = (orFull: boolean) =>
          own.every(({ name, topic }) => isRead(name, topic, orFull)) && (!ends || isRead(endsName(ends.topic), ends.topic, orFull))
        return holder.release({ ms, open, quiet: areRead(true), isAll: areRead(false) })
      })
      // What comes next is read while this is written.
      if (released.length > 0) room.ring()
      return released
    },
    written() {
      for (const { holder } of groups) holder.written()
      for (const reading of [...readings.values()].flat()) reading.isFull = false
      room.ring()
    },
    isAtEnd(name) {
      const group = groups.find(({ own }) => own.some((one) => one.name === name))!
      return isRead(name, group.own.find((one) => one.name === name)!.topic) && group.holder.held() === 0
    },
    missing: () => [...missing],
    async haveGrown() {
      for (const { name, topic } of sources) {
        const own = readings.get(name)
        if (own && own.length > 0 && (await feed.ends(topic)).length > own.length) return true
      }
      return false
    },
    ends: (later) =>
      Object.fromEntries(
        groups.flatMap(({ ends, holder }) => {
          const reading = ends && readings.get(endsName(ends.topic))?.[0]
          if (!reading) return ends && place.ends[ends.topic] ? [[ends.topic, place.ends[ends.topic]!]] : []
          const before = place.ends[ends.topic]?.inPieces ?? 0
          const { next = reading.next, after } = holder.done(later)
          return [[ends.topic, { next, inPieces: before + holder.inPieces(), after: after?.toString() ?? null }]]
        }),
      ),
    async stop() {
      stop.abort()
      room.ring()
      await Promise.all(tasks)
    },
  }
}

const seenIn = ({ newest }: PartitionPlace): Seen | undefined =>
  newest ? { op: newest.op, place: newest.place ? placeFrom(newest.place) : undefined } : undefined
