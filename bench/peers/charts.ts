/** The pictures of the comparison: rates of the stream, of the producer and of the batch, and the memory that the stream takes. */
import { wholeNumber } from '../report.ts'
import { barChart, type Bar } from './bars.ts'
import { valuesOf, wholeRate, workingRate, type Figure, type LaneResult } from './results.ts'
import type { Results } from './sections.ts'

const ranked = (lanes: readonly LaneResult[], figure: Figure, note?: (lane: LaneResult) => string): Bar[] =>
  lanes
    .filter(({ rounds }) => rounds.size > 0)
    .map((lane) => ({
      label: lane.name,
      ...(note && { note: note(lane) }),
      values: valuesOf(lane, figure),
      own: lane.name.startsWith('Tidemark'),
    }))

const thousands = (value: number) => (value < 9500 && value > 0 ? (value / 1000).toFixed(1) : wholeNumber(Math.round(value / 1000)))
const whiskers = 'The bar is the median of the rounds, the whisker goes from the least to the most.'

const batchChart =
  (target: string, size: string) =>
  (lanes: readonly LaneResult[]): string =>
    barChart({
      title: `Batch, csv.gz → features → ${target}: thousand rows a second`,
      subtitle: [`${size}, whole processes.`, whiskers],
      bars: ranked(lanes, wholeRate, ({ how }) => how),
      show: thousands,
    })

/** By file name. What was not measured is not drawn. */
export function pictures({ streams, producers, tables, parquet }: Results, rows: number): Map<string, string> {
  const size = `${wholeNumber(rows)} rows`
  const wanted: readonly (readonly [string, readonly LaneResult[], (lanes: readonly LaneResult[]) => string])[] = [
    [
      'peers-streams.svg',
      streams,
      (lanes) =>
        barChart({
          title: 'Kafka → three features → Kafka: thousand rows a second while working',
          subtitle: [`${size}, one partition, broker and lane on the same machine.`, whiskers],
          bars: ranked(lanes, workingRate, ({ how }) => how),
          show: thousands,
        }),
    ],
    [
      'peers-memory.svg',
      streams,
      (lanes) =>
        barChart({
          title: 'The same job: peak memory of the process, MB',
          subtitle: [`${size}. The heap of a JVM was given 1 GB at most.`, whiskers],
          bars: ranked(lanes, ({ measured }) => measured.peakBytes / 1e6),
          show: (value) => wholeNumber(Math.round(value)),
        }),
    ],
    [
      'peers-producers.svg',
      producers,
      (lanes) =>
        barChart({
          title: 'csv.gz → Kafka: thousand rows a second while working',
          subtitle: [`${size}, idempotent or in transactions.`, whiskers],
          bars: ranked(lanes, workingRate, ({ how }) => how),
          show: thousands,
        }),
    ],
    ['peers-tables.svg', tables, batchChart('table', size)],
    ['peers-parquet.svg', parquet, batchChart('Parquet', size)],
  ]
  return new Map(
    wanted.filter(([, lanes]) => lanes.some(({ rounds }) => rounds.size > 0)).map(([name, lanes, draw]) => [name, draw(lanes)]),
  )
}
