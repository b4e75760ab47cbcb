/** What is to be done at the border beside writing what came: snapshots that have ended, rows that leave, facts that can begin. */
import { tablesOf } from '../schemas/joined.ts'
import type { Feed } from '../utilities/feed.ts'
import type { Tables } from '../utilities/tables.ts'
import type { Losses } from './losses.ts'
import { withoutMended } from './mended.ts'
import type { IngestPlace } from './place.ts'
import { afterLastRow, isReadToEnds } from './snapshots.ts'
import type { SnapshotPlace, SourcePlace } from './sources.ts'
import { tablesRead } from './tables-read.ts'
import type { TopicSource } from './topic-source.ts'
import type { Kept, Needs, Turn } from './turn.ts'

export type Chore = (turn: Turn) => Promise<void>

export type ChoreOptions = {
  readonly sources: readonly TopicSource[]
  readonly needs: Needs
  readonly kept: Kept | undefined
  /** For records that wait. */
  readonly eventsNowMs: () => number
  /** Whether a source has nothing more to give. */
  readonly isAtEnd: (source: string) => boolean
  /** Topics that are not there. */
  readonly missing: readonly string[]
  readonly feed: Feed
  readonly tables: Tables
  /** Tables whose rows may leave, however many they are. */
  readonly acceptSnapshot: readonly string[]
  /** What somebody says was not lost. */
  readonly acceptedLosses: Losses
}

/** Rows that leave in one commit. */
const leavingAtOnce = 20_000

export function nextChore(place: IngestPlace, options: ChoreOptions): Chore | undefined {
  const { sources, missing, isAtEnd, needs } = options
  const read = tablesRead(place, sources, { isAtEnd, isMissing: (topic) => missing.includes(topic) })
  if (read !== place) return (turn) => turn.write({ pieces: [], after: (now) => ({ ...now, sources: read.sources }) })
  const tablesOfConnector = (topic: string) =>
    sources.flatMap(({ name, of, transactions }) => ('table' in of && transactions === topic ? [name] : []))
  const mended = withoutMended(place, { tables: tablesOfConnector, accepted: options.acceptedLosses })
  if (mended !== place) return (turn) => turn.write({ pieces: [], after: (now) => ({ ...now, losses: mended.losses }) })
  for (const source of sources) {
    const chore = 'table' in source.of ? ofSnapshot(source, place.sources[source.name], options) : undefined
    if (chore) return chore
  }
  const fromTopics = new Set(sources.flatMap(({ name, of }) => ('table' in of ? [name] : [])))
  const ready = needs.facts.filter(
    ({ retired, stream, fact }) =>
      !retired &&
      !place.facts[stream.name]?.begun &&
      !place.facts[stream.name]?.ended &&
      tablesOf(fact).every(({ name }) => (fromTopics.has(name) ? place.sources[name]?.loaded : place.tables[name])),
  )
  if (ready.length > 0) return (turn) => turn.begin(ready)
  // Records that wait are known once the first turn has begun.
  const nextMs = options.kept
    ? Math.min(...options.kept.targets.events.map(({ state }) => state.nextMs()))
    : needs.events.length > 0
      ? 0
      : Infinity
  return nextMs <= options.eventsNowMs() ? (turn) => turn.write({ pieces: [] }) : undefined
}

function ofSnapshot({ name, topic }: TopicSource, state: SourcePlace | undefined, options: ChoreOptions): Chore | undefined {
  const snapshot = state?.snapshot
  const { feed, tables, acceptSnapshot } = options
  if (!snapshot) return undefined
  const to = (turn: Turn, next: SnapshotPlace) =>
    turn.write({ pieces: [], after: (now) => ({ ...now, sources: { ...now.sources, [name]: { ...now.sources[name]!, snapshot: next } } }) })
  if (snapshot.state === 'ending' && !snapshot.ends)
    return async (turn) => to(turn, { ...snapshot, ends: (await feed.ends(topic)).map(({ next }) => next) })
  if (snapshot.state === 'ending' && isReadToEnds(state))
    return (turn) => to(turn, afterLastRow(snapshot, { older: tables.countBefore(name, snapshot.since), all: tables.count(name) }))
  if (snapshot.state === 'asks' && acceptSnapshot.includes(name)) return (turn) => to(turn, { ...snapshot, state: 'leaving' })
  if (snapshot.state === 'leaving')
    return async (turn) => {
      const keys = tables.before(name, snapshot.since, leavingAtOnce)
      if (keys.count === 0) await to(turn, { ...snapshot, state: 'done' })
      else await turn.write({ pieces: [], leaving: { table: name, keys } })
    }
  return undefined
}
