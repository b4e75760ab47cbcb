/** What comes from topics, as a person reads it. */
import type { SourcesStatus, SourceStatus } from '../use-cases/sources.ts'
import type { Cell } from '../utilities/sql/cells.ts'
import { count } from '../utilities/values/digits.ts'
import { duration, table } from './console.ts'

export function sourceLines({ sources, transactions, facts, events, outOfReach }: SourcesStatus): readonly string[] {
  const names = ['source', 'topic', 'partitions', 'messages', 'lag', 'newest', 'duplicates', 'dead']
  return [
    '',
    table(names, sources.map(cellsOf)),
    ...(outOfReach === null ? [] : [`what topics still hold is not known: ${outOfReach}`]),
    ...sources.flatMap(({ source, waits }) => (waits === null ? [] : [`${source}: ${waits}`])),
    ...sources.flatMap(({ source, wentBack }) =>
      wentBack > 0 ? [`${source}: rows went back for a moment, ${count(wentBack)} times, as changes from before a snapshot were read`] : [],
    ),
    ...transactions.flatMap(({ topic, inPieces }) => (inPieces > 0 ? [`${topic}: ${count(inPieces)} transactions went in pieces`] : [])),
    ...transactions.flatMap(({ lost, todo }) => (todo === null ? [] : [...lost.map(({ says }) => says), todo])),
    ...facts.map(({ stream, waitsFor }) =>
      waitsFor.length > 0
        ? `inflow.${stream} waits for all rows of ${waitsFor.join(', ')}`
        : `inflow.${stream} begins with the next ingest`,
    ),
    ...events.flatMap(({ stream, waiting }) =>
      waiting > 0 ? [`${count(waiting)} ${waiting === 1 ? 'record waits' : 'records wait'} for what inflow.${stream} joins`] : [],
    ),
  ]
}

const cellsOf = (one: SourceStatus): readonly Cell[] => [
  one.source,
  one.topic,
  one.partitions,
  one.messages,
  one.lag,
  ageOf(one),
  one.duplicates,
  one.dead,
]

function ageOf({ newestAt, secondsOld }: SourceStatus): string | null {
  if (newestAt === null || secondsOld === null) return null
  return secondsOld < 3600 ? `${duration(secondsOld)} ago` : `${newestAt.slice(0, 19)}Z`
}
