/**
 * The border towards topics of others: reads them side by side and writes what they say, in turns, between which others have the border:
 * who loads, ticks or verifies. Whatever happens, it goes on from the places that the log has.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Feed } from '../utilities/feed.ts'
import { Held } from '../utilities/lease.ts'
import { Fenced } from '../utilities/log.ts'
import type { Tables } from '../utilities/tables.ts'
import { Problem } from '../utilities/values/problem.ts'
import { openBarriers, type Part } from './barriers.ts'
import { nextChore } from './chores.ts'
import { readLanes, type Lanes, type LanesOptions } from './lanes.ts'
import { withLosses } from './losses.ts'
import type { Piece } from './pieces.ts'
import { loadPlace, type IngestPlace } from './place.ts'
import { atTopics } from './sources.ts'
import type { TopicSource, TransactionTopic } from './topic-source.ts'
import { openTurn, type Kept, type Needs, type Turn, type TurnOptions, type TurnPorts } from './turn.ts'

export type IngestPorts = TurnPorts & { readonly feed: Feed }

export type IngestOptions = Omit<LanesOptions, 'kept' | 'sources' | 'transactions'> &
  Omit<TurnOptions, 'sources'> & {
    /** What is to be written, as the definitions and the released versions have it now. */
    readonly needs: () => Promise<Needs>
    /** What has to be read for that. */
    readonly topics: (needs: Needs) => Topics
    /** Tables of which the rows may leave that a new snapshot lacks, however many. */
    readonly acceptSnapshot: readonly string[]
    /** Topics of transactions that lack nothing, whatever is known of their connector by now. */
    readonly acceptLoss: readonly string[]
    /** Otherwise it ends once all is read and written that there is. */
    readonly follow: boolean
    readonly report: (news: IngestNews) => void
    /** Hears how to ask how far each source has come. */
    readonly passed: (passed: Passed) => void
  }

type Topics = { readonly sources: readonly TopicSource[]; readonly transactions: readonly TransactionTopic[] }

/** Messages that were written, and the place behind them. */
export type IngestNews = { readonly messages: number; readonly place: IngestPlace }

/** Up to when a source has given what it had, in milliseconds since 1970: Infinity where it has nothing more. */
export type Passed = (source: string) => number

/** So long a turn is at most, so long it waits for more, and so long others have then. */
const [turnMs, idleMs, breakMs] = [5_000, 500, 30]
/** So often it is looked whether something is to be done though nothing came, and whether something else is needed. */
const [lookMs, needsMs] = [250, 5_000]
/** So long a batch may grow where there is more to read. */
const growMs = 200
/** Rows that are emptied in one commit. */
const emptiedAtOnce = 20_000

/** The place where it has come, once it ends. */
export async function ingest(ports: IngestPorts, options: IngestOptions): Promise<IngestPlace> {
  for (let attempt = 1; ; attempt++) {
    try {
      const place = await session(ports, options)
      if (place) return place
    } catch (error) {
      // Somebody wrote at the border without asking first: what was read and not written is read again.
      if (!(error instanceof Fenced) || options.signal.aborted) throw error
      await sleep(Math.min(attempt * 50, 2_000))
    }
  }
}

/** Until other topics are needed, for which it begins anew. */
async function session(ports: IngestPorts, options: IngestOptions): Promise<IngestPlace | undefined> {
  const { feed, checkpoints, tables } = ports
  const { signal, follow, note, acceptSnapshot, acceptLoss } = options
  let place = await loadPlace(checkpoints)
  // What is found from now on nobody knew of who said so.
  const acceptedLosses = Object.fromEntries(Object.entries(place.losses).filter(([topic]) => acceptLoss.includes(topic)))
  let needs = await options.needs()
  const topics = options.topics(needs)
  const { sources } = topics
  refuseOthers(place, sources, options.acceptGap)
  const from = { ...place, sources: atTopics(place.sources, sources) }
  const barriers = openBarriers(feed, (name) => sources.find((one) => one.name === name)!.topic, from)
  const lanes = await readLanes(feed, from, { ...options, ...topics, kept: barriers.kept })
  const isAtEnd = (name: string) => lanes.isAtEnd(name) && barriers.kept(name) === 0
  let turn: Turn | undefined
  let kept: Kept | undefined
  let [openedMs, workedMs, passedMs, askedMs, isOther] = [0, 0, 0, performance.now(), false]
  // Records wait for rows that have not been read yet, however long that takes.
  const tablesOf = sources.filter(({ of }) => 'table' in of)
  const clockMs = () => Number(ports.clock() / 1_000_000n)
  let eventsMs = clockMs()
  const eventsNowMs = () => (tablesOf.every(({ name }) => isAtEnd(name)) ? (eventsMs = clockMs()) : eventsMs)
  const endTurn = async () => {
    const ending = turn
    turn = undefined
    await ending?.close()
  }
  const askAgain = async () => {
    const again = await options.needs()
    askedMs = performance.now()
    if (JSON.stringify(again) === JSON.stringify(needs)) return
    await endTurn()
    ;[needs, kept] = [again, undefined]
    isOther = namesOf(options.topics(again)) !== namesOf(topics)
  }
  const open = async () => {
    turn = await openTurn(ports, { ...options, ...topics, needs, kept, readFrom: place, eventsNowMs })
    openedMs = performance.now()
  }
  const inTurn = async (work: (turn: Turn) => Promise<void>) => {
    if (!turn && performance.now() - askedMs > needsMs) await askAgain()
    if (!turn) await open()
    // A version was applied meanwhile, and its stream has begun: what comes now belongs there, too.
    if (hasOthers(turn!.place, needs)) {
      await askAgain()
      if (!turn) await open()
    }
    await work(turn!)
    ;({ place, kept } = turn!)
    workedMs = performance.now()
  }
  options.passed((name) => (isAtEnd(name) ? Infinity : passedBy(place, name)))
  try {
    while (!signal.aborted) {
      const rings = lanes.news.rings()
      // Each commit costs something: where there is more to read, it is read first, for a moment.
      if (!lanes.isRipe() && performance.now() - passedMs < growMs) {
        await lanes.news.wait(rings, growMs)
        continue
      }
      const parts = await barriers.pass(lanes.release())
      for (const [i, part] of parts.entries()) {
        if (signal.aborted) break
        const later = parts.slice(i + 1).flatMap(({ pieces }) => pieces.flatMap(({ transaction }) => transaction ?? []))
        const after = withEnds(lanes, new Set(later))
        await inTurn((own) => (part.empties ? empty(own, part, after, tables) : own.write({ pieces: part.pieces, after })))
        options.report({ messages: part.pieces.reduce((sum, { from, to }) => sum + to - from, 0), place })
      }
      if (parts.length > 0) lanes.written()
      passedMs = performance.now()
      const chore = signal.aborted
        ? undefined
        : nextChore(place, {
            sources,
            needs,
            kept,
            isAtEnd,
            missing: lanes.missing(),
            feed,
            tables,
            acceptSnapshot,
            acceptedLosses,
            eventsNowMs,
          })
      if (chore) await inTurn(chore)
      const now = performance.now()
      if (turn && (now - openedMs > turnMs || now - workedMs > idleMs)) {
        await endTurn()
        // Whoever waits for the border has a moment to take it.
        if (now - workedMs <= idleMs) await sleep(breakMs)
      }
      if (parts.length > 0 || chore) continue
      if (!follow && lanes.news.rings() === rings && sources.every(({ name }) => isAtEnd(name))) break
      if (now - askedMs > needsMs) {
        await askAgain()
        isOther ||= await lanes.haveGrown()
      }
      if (isOther) return undefined
      await lanes.news.wait(rings, lookMs)
    }
    return place
  } catch (error) {
    // It was told to stop while somebody else had the border.
    if (!(error instanceof Held && signal.aborted)) throw error
    return place
  } finally {
    await endTurn().catch((error: unknown) => note(`ingest: ${(error as Error).message}`))
    await lanes.stop()
  }
}

/** Offsets of one topic say nothing of another. */
function refuseOthers({ sources: states }: IngestPlace, sources: readonly TopicSource[], acceptGap: readonly string[]): void {
  for (const { name, topic, isFleeting } of sources) {
    const before = states[name]
    if (!before || isFleeting || before.topic === topic || before.totals.messages === 0 || acceptGap.includes(topic)) continue
    throw new Problem(
      `${name} came from ${before.topic} until now, and comes from the topic ${topic} now`,
      `To read that from its first message on, where its records are new ones: tidemark ingest --accept-gap ${topic}`,
    )
  }
}

const namesOf = ({ sources }: Topics): string => sources.map(({ name }) => name).join()

/** Whether a stream of facts goes on that was not known to be needed. */
const hasOthers = ({ facts }: IngestPlace, needs: Needs): boolean =>
  Object.entries(facts).some(([name, { begun, ended }]) => begun && !ended && !needs.facts.some(({ stream }) => stream.name === name))

function passedBy({ sources }: IngestPlace, name: string): number {
  const partitions = sources[name]?.partitions ?? []
  return partitions.length === 0 ? 0 : Math.min(...partitions.map(({ time }) => time))
}

const withEnds =
  (lanes: Lanes, later: ReadonlySet<string>) =>
  (place: IngestPlace): IngestPlace => ({ ...place, ends: lanes.ends(later), losses: withLosses(place.losses, lanes.lost(later)) })

/** All of its rows leave, some at a time; the place goes past the message with the last of them. */
async function empty(turn: Turn, { pieces }: Part, after: (place: IngestPlace) => IngestPlace, tables: Tables): Promise<void> {
  const [{ source }] = pieces as [Piece]
  for (;;) {
    const keys = tables.before(source, Infinity, emptiedAtOnce)
    const isLast = keys.count < emptiedAtOnce
    await turn.write({
      pieces: isLast ? pieces : [],
      ...(isLast && { after }),
      ...(keys.count > 0 && { leaving: { table: source, keys } }),
    })
    if (isLast) return
  }
}
