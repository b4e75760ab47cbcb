/**
 * Serving: follows the outflow of every stream and the inflow of every fact, all partitions of them, into a store of its own, which is
 * read meanwhile. No warehouse is asked.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isFact, type FactSchema } from '../schemas/fact.ts'
import { offsetOf } from '../streams/dead.ts'
import { recordedIn } from '../streams/held.ts'
import { inflowReader } from '../streams/inflow.ts'
import { knownVersions, streamedSets } from '../streams/known-versions.ts'
import { ownerOf, standsAs, streamOf } from '../streams/stream.ts'
import { loadShown } from '../streams/told.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import { workAsTheyCome } from '../utilities/running/as-they-come.ts'
import type { Served } from '../utilities/served.ts'
import { factEntries } from './entries.ts'
import { followPartition } from './follow.ts'
import { keeper, type Keeper, type Place } from './keeper.ts'
import { states } from './kept.ts'
import { laneReader } from './lanes.ts'
import type { ServedPlace, Serving } from './serving.ts'

export type ServingPorts = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry; readonly served: Served }

export type ServingNews = { readonly topic: string; readonly rows: number; readonly unreadable: number; readonly offset: number }

export type ServingOptions = {
  /** What is to be done before it is read what there is. */
  readonly before?: (signal: AbortSignal) => Promise<void>
  readonly report?: (news: ServingNews) => void
  readonly note?: (text: string) => void
}

/** A topic to follow: the outflow of a stream, or the inflow of a fact. */
type Job = { readonly topic: string; readonly facts?: { readonly fact: FactSchema; readonly name: string } }

/** How often it is looked how far there is to go. */
const lookEveryMs = 1000

export function openServing(ports: ServingPorts, { before, report = () => {}, note = () => {} }: ServingOptions = {}): Serving {
  const { log, served } = ports
  const stop = new AbortController()
  const stateOf = states()
  const places = new Map<string, ServedPlace>()
  const begun = { jobs: false, behind: new Set<string>() }
  const kept = keeper(served, ports.registry)
  const rows = laneReader(ports.registry)

  const follow = async ({ topic, facts }: Job, signal: AbortSignal) => {
    const id = (await log.topicId(topic)) ?? ''
    const ends = (await log.topics()).find((one) => one.topic === topic)!.partitions
    const isAnew = ends.some((_, partition) => isOther(kept.place({ topic, partition })?.id, id))
    if (isAnew) await kept.forget(topic, facts?.name)
    if (facts) await kept.beginFacts(facts.name, Object.keys(facts.fact.fields))
    const all = ends.map(async ({ first, next: end }, partition) => {
      const place = { topic, partition, id }
      const name = `${topic}/${partition}`
      const from = kept.place(place)?.next ?? 0
      if (from < first && facts) note(lostFacts(topic, partition, facts.name, first))
      const move = (next: number) => {
        const now = places.get(name)?.end ?? end
        places.set(name, { topic, partition, next, end: Math.max(now, next) })
      }
      move(Math.max(from, first))
      const told = facts ? await factsFollowed(ports, kept, facts, place) : rowsFollowed(kept, rows, place)
      await followPartition(log, {
        ...place,
        ...told((news) => {
          report({ topic, ...news })
          if (news.isWritten) move(news.offset)
        }),
        from: Math.max(from, first),
        caughtUp() {
          begun.behind.delete(name)
          // A log may end in marks of its own, which are no messages.
          if (!log.gapless) move(Math.max(end, places.get(name)!.next))
        },
        signal,
      })
    })
    await Promise.all(all)
  }

  const find = async () => {
    const jobs = await jobsOf(ports, kept)
    const topics = await log.topics()
    const there = jobs.filter(({ topic }) => topics.some((one) => one.topic === topic))
    for (const { topic } of begun.jobs ? [] : there)
      for (const partition of topics.find((one) => one.topic === topic)!.partitions.keys()) begun.behind.add(`${topic}/${partition}`)
    begun.jobs = true
    return there
  }

  const run = async () => {
    await before?.(stop.signal)
    const looking = lookAhead(log, places, stop.signal)
    try {
      await workAsTheyCome({ first: await find(), find, nameOf: ({ topic }) => topic, work: follow, follow: true, signal: stop.signal })
    } finally {
      stop.abort()
      await looking
    }
  }
  const ended = run().catch((error: unknown) => {
    // Told to stop: what was not written is read again.
    if (!stop.signal.aborted || error !== stop.signal.reason) throw error
  })
  ended.catch(() => {})

  return {
    read: (look) => served.read((reader) => look(stateOf(reader))),
    places: () => [...places.values()],
    isCaughtUp: () => begun.jobs && begun.behind.size === 0,
    ended,
    async close() {
      stop.abort()
      await ended.catch(() => {})
      await served.close()
    },
  }
}

const isOther = (kept: string | undefined, now: string) => kept !== undefined && kept !== '' && now !== '' && kept !== now

const lostFacts = (topic: string, partition: number, name: string, first: number) =>
  `${name}: facts that ${topic} told of before offset ${first} of partition ${partition} were deleted there and are not served, ` +
  'until they change'

/** Topics that sets are over of which a version is left. */
async function jobsOf({ checkpoints, registry }: ServingPorts, kept: Keeper): Promise<readonly Job[]> {
  const jobs = new Map<string, Job>()
  for (const { set, record } of await streamedSets(registry)) {
    const stream = streamOf(record)
    jobs.set(stream.outflow, { topic: stream.outflow })
    if (!isFact(record)) continue
    const retired = (await loadShown(checkpoints, set))?.retired ?? []
    const versions = (await knownVersions(registry, set)).filter(({ definition }) => ownerOf(definition) === ownerOf({ set, record }))
    if (versions.some(({ definition }) => !retired.includes(definition.version)))
      jobs.set(stream.inflow, { topic: stream.inflow, facts: { fact: record, name: standsAs(stream) } })
  }
  const names = [...jobs.values()].flatMap(({ facts }) => (facts ? [facts.name] : []))
  for (const name of kept.factsKept()) if (!names.includes(name)) await kept.endFacts(name)
  return [...jobs.values()]
}

type Heard = { readonly rows: number; readonly unreadable: number; readonly offset: number; readonly isWritten: boolean }

const rowsFollowed = (kept: Keeper, lanes: ReturnType<typeof laneReader>, place: Place) => (heard: (news: Heard) => void) => ({
  async partsOf(fetched: Parameters<typeof lanes>[0]) {
    const { parts, unreadable } = await lanes(fetched)
    if (unreadable > 0) heard({ rows: 0, unreadable, offset: fetched.next, isWritten: false })
    return parts
  },
  async write(complete: Parameters<Keeper['rows']>[0]) {
    await kept.rows(complete, place)
    const count = complete.parts.reduce((sum, { lane, columns }) => sum + (lane.kind === 'shown' ? 0 : columns.count), 0)
    heard({ rows: count, unreadable: 0, offset: complete.next, isWritten: true })
  },
})

async function factsFollowed(
  { registry, checkpoints }: ServingPorts,
  kept: Keeper,
  { fact, name }: NonNullable<Job['facts']>,
  place: Place,
) {
  const changes = await inflowReader(registry, fact, Object.keys(fact.fields), recordedIn(checkpoints, streamOf(fact)))
  const lane = { kind: 'shown' } as const
  return (heard: (news: Heard) => void) => ({
    async partsOf(fetched: Parameters<typeof changes.read>[0]) {
      const { columns, rows } = await changes.read(fetched, Infinity)
      return [{ lane, columns, offsets: Float64Array.from(rows, (message) => offsetOf(fetched, message)) }]
    },
    async write({ parts, next }: Parameters<Keeper['rows']>[0]) {
      const isKept = kept.factsKept().includes(name)
      const lots = isKept ? parts.map(({ columns }) => factEntries(name, fact, columns)) : []
      await kept.facts(lots, next, place)
      heard({ rows: lots.reduce((sum, { entries }) => sum + entries.count, 0), unreadable: 0, offset: next, isWritten: true })
    },
  })
}

/** Keeps up how far there is to go. */
async function lookAhead(log: Log, places: Map<string, ServedPlace>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    const topics = await log.topics().catch(() => [])
    for (const [name, place] of places) {
      const end = topics.find(({ topic }) => topic === place.topic)?.partitions[place.partition]?.next
      if (end !== undefined) places.set(name, { ...place, end: Math.max(end, place.next) })
    }
  }
}
