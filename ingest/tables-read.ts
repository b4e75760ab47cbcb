/** Which tables have been read once, and how far snapshots are, by what their topics have given so far. */
import type { IngestPlace } from './place.ts'
import { newSource, type SourcePlace } from './sources.ts'
import type { TopicSource } from './topic-source.ts'

type Look = {
  /** Whether all that a source has was read a moment ago. */
  readonly isAtEnd: (source: string) => boolean
  readonly isMissing: (topic: string) => boolean
}

/** The place itself where nothing has become known. */
export function tablesRead(place: IngestPlace, sources: readonly TopicSource[], look: Look): IngestPlace {
  const states = Object.values(place.sources)
  const passed = new Set(
    states.flatMap(({ connector, streaming, passed: isPast }) => (connector !== null && (streaming || isPast) ? [connector] : [])),
  )
  const changed = sources.flatMap((source): readonly (readonly [string, SourcePlace])[] => {
    if (!('table' in source.of)) return []
    const state = place.sources[source.name] ?? newSource(source.topic)
    const connector = state.connector ?? [...passed].find((one) => source.topic.startsWith(`${one}.`)) ?? null
    const now = after(state, source, { ...look, isPassed: connector !== null && passed.has(connector) })
    return now === state ? [] : [[source.name, now]]
  })
  return changed.length === 0 ? place : { ...place, sources: { ...place.sources, ...Object.fromEntries(changed) } }
}

function after(
  state: SourcePlace,
  source: TopicSource,
  { isAtEnd, isMissing, isPassed }: Look & { readonly isPassed: boolean },
): SourcePlace {
  const { snapshot, streaming, connector, totals, loaded, marks, partitions } = state
  const isEnd = isAtEnd(source.name)
  // Of a connector that marks no last row of each table.
  if (snapshot?.state === 'under way' && isPassed && isEnd && !marks) return { ...state, snapshot: { ...snapshot, state: 'ending' } }
  if (loaded) return state
  const tellsNothing = !source.isOfDatabase || (connector === null && totals.messages > 0)
  const isRead =
    source.noSnapshot ||
    (snapshot && snapshot.state !== 'adhoc'
      ? !['under way', 'ending'].includes(snapshot.state)
      : // Changes come behind the rows of a snapshot, but those may be in another partition.
        (streaming && (partitions.length <= 1 || isEnd)) || (isPassed && isEnd)) ||
    (tellsNothing && isEnd && !isMissing(source.topic))
  return isRead ? { ...state, loaded: true } : state
}
