/** What was measured as sections of the benchmarks page. */
import { median, spread, wholeNumber } from '../report.ts'
import { batchLanes, type BatchTarget } from './batch-lanes.ts'
import { producerLanes } from './producer-lanes.ts'
import { ratios, resultTable, tiesText, valuesOf, workingRate, type LaneResult } from './results.ts'
import type { Outcomes } from './run-rounds.ts'
import { streamLanes } from './stream-lanes.ts'

export type Results = {
  readonly streams: readonly LaneResult[]
  readonly producers: readonly LaneResult[]
  readonly tables: readonly LaneResult[]
  readonly parquet: readonly LaneResult[]
}

export function resultsOf(outcomes: Outcomes): Results {
  const of = ({ word, name, how }: { readonly word: string; readonly name: string; readonly how: string }) => ({
    word,
    name,
    how,
    rounds: outcomes.get(word) ?? new Map(),
  })
  const into = (target: BatchTarget) =>
    batchLanes.filter((lane) => lane.target === target).map((lane) => of({ ...lane, how: lane.features.join(', ') }))
  return {
    streams: streamLanes.map((lane) => of({ ...lane, how: lane.guarantee })),
    producers: producerLanes.map((lane) => of({ ...lane, how: lane.guarantee })),
    tables: into('table'),
    parquet: into('Parquet'),
  }
}

/** By the name of the section: its title and its text. */
export function sectionsOf(
  { streams, producers, tables, parquet }: Results,
  rows: number,
  keys: number | undefined,
): Map<string, { readonly title: string; readonly text: string }> {
  const size = `${wholeNumber(rows)} rows`
  const working = { head: 'who', how: 'guarantee', working: true }
  const batch = { head: 'who', how: 'features', working: false }
  const wanted = [
    {
      name: keys === undefined ? 'peers-streams' : 'peers-keyed',
      title: `Kafka → ma50, ma100, ema50${keys === undefined ? '' : ` of each of ${wholeNumber(keys)} zip codes`} → Kafka, ${size}`,
      lanes: streams,
      parts: [() => resultTable(streams, working), () => bestPeer(streams)],
    },
    { name: 'peers-producers', title: `csv.gz → Kafka, ${size}`, lanes: producers, parts: [() => resultTable(producers, working)] },
    { name: 'peers-tables', title: `csv.gz → features → table, ${size}`, lanes: tables, parts: [() => resultTable(tables, batch)] },
    { name: 'peers-parquet', title: `csv.gz → features → Parquet, ${size}`, lanes: parquet, parts: [() => resultTable(parquet, batch)] },
  ]
  return new Map(
    wanted
      .filter(({ lanes }) => lanes.some(({ rounds }) => rounds.size > 0))
      .map(({ name, title, lanes, parts }) => {
        const texts = [...parts.map((part) => part()), tiesText(lanes)].filter((text) => text !== '')
        return [name, { title, text: texts.join('\n\n') }]
      }),
  )
}

/** What the comparison comes down to: the fastest of those that promise the same. */
function bestPeer([mine, ...peers]: readonly LaneResult[]): string {
  const rivals = peers.filter(({ how, rounds }) => how === mine!.how && rounds.size > 0)
  const rateOf = (lane: LaneResult) => median(valuesOf(lane, workingRate))
  const best = rivals.sort((a, b) => rateOf(b) - rateOf(a))[0]
  const each = best ? ratios(mine!, best, workingRate) : []
  return each.length === 0
    ? ''
    : `Round by round Tidemark is ${spread(each)} times as fast as the fastest peer that is exactly once too, ${best!.name}.`
}
