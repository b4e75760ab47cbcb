/** The tables of batch, stream and memory, each made of what was measured. */
import type { BatchResult } from './batch.ts'
import type { Finished } from './child.ts'
import { megabytes, spread, table, thousandRows, wholeNumber } from './report.ts'
import { waysOfStreaming, type StreamRun } from './stream.ts'

/** Peaks by process and number of rows. */
export type Peaks = Map<string, Map<number, readonly number[]>>

function notePeaks(peaks: Peaks, process: string, rows: number, finished: readonly Finished[]): void {
  if (finished.length === 0) return
  const byRows = peaks.get(process) ?? new Map<number, readonly number[]>()
  peaks.set(
    process,
    byRows.set(
      rows,
      finished.map(({ peakBytes }) => peakBytes),
    ),
  )
}

export function noteBatch(peaks: Peaks, rows: number, { tidemark, duckdb }: BatchResult): void {
  notePeaks(peaks, 'backfill', rows, tidemark)
  notePeaks(peaks, 'DuckDB, the same batch', rows, duckdb)
}

export function noteStreams(peaks: Peaks, rows: number, runs: readonly StreamRun[]): void {
  const all = runs.flatMap(({ parts }) => [...parts])
  for (const [name, some] of Map.groupBy(all, ([name]) => name))
    notePeaks(
      peaks,
      name,
      rows,
      some.map(([, finished]) => finished),
    )
}

const seconds = (all: readonly { readonly seconds: number }[]) => all.map((one) => one.seconds)
const processorTime = (rows: number, all: readonly Finished[]) => spread(all.map(({ cpuSeconds }) => (cpuSeconds / rows) * 1e6))
const peak = (all: readonly Finished[]) => megabytes(all.map(({ peakBytes }) => peakBytes))

export function batchText(results: ReadonlyMap<number, BatchResult>): string {
  const lines = [...results].flatMap(([rows, { tidemark, duckdb }]) =>
    (
      [
        ['Tidemark', tidemark],
        ['DuckDB', duckdb],
      ] as const
    )
      .filter(([, all]) => all.length > 0)
      .map(([who, all]) => [
        who,
        wholeNumber(rows),
        spread(seconds(all)),
        thousandRows(rows, seconds(all)),
        processorTime(rows, all),
        peak(all),
      ]),
  )
  const head = ['', 'rows', 'seconds', 'thousand rows/s', 'processor µs a row', 'peak MB']
  return [table(head, lines), ...[...results].flatMap(([rows, result]) => ratioText(rows, result))].join('\n\n')
}

function ratioText(rows: number, { tidemark, duckdb, compared }: BatchResult): string[] {
  if (!compared) return []
  const each = duckdb.map(({ seconds }, i) => seconds / tidemark[i]!.seconds)
  const means = `${wholeNumber(compared.ties)} of ${wholeNumber(2 * compared.rows)} means`
  const ties = compared.ties === 0 ? 'no mean differs' : `${means} differ by 0.001, each of them exactly half-way between two results`
  return [
    `At ${wholeNumber(rows)} rows Tidemark is ${spread(each)} times as fast as DuckDB, pair by pair. ` +
      `Both tables have the same ${wholeNumber(compared.rows)} rows; ${ties}.`,
  ]
}

export type StreamResults = ReadonlyMap<number, ReadonlyMap<string, readonly StreamRun[]>>

export function streamText(results: StreamResults): string {
  const each = [...results].flatMap(([rows, byWay]) => [...byWay].map(([way, all]) => ({ rows, way, all })))
  const ways = each.map(({ rows, way, all }) => [way, wholeNumber(rows), spread(seconds(all)), thousandRows(rows, seconds(all))])
  const processes = each.flatMap(({ rows, way, all }) =>
    [...all[0]!.parts.keys()].map((name) => {
      const finished = all.map(({ parts }) => parts.get(name)!)
      const alone = waysOfStreaming.get(way) === 'in turn' ? thousandRows(rows, seconds(finished)) : ''
      return [`${name}, ${way}`, wholeNumber(rows), alone, processorTime(rows, finished), peak(finished)]
    }),
  )
  return [
    table(['way', 'rows', 'seconds', 'thousand rows/s'], ways),
    table(['process', 'rows', 'thousand rows/s alone', 'processor µs a row', 'peak MB'], processes),
  ].join('\n\n')
}

export function memoryText(peaks: Peaks): string {
  const sizes = [...new Set([...peaks.values()].flatMap((byRows) => [...byRows.keys()]))].sort((a, b) => a - b)
  const lines = [...peaks].map(([name, byRows]) => [name, ...sizes.map((rows) => (byRows.has(rows) ? megabytes(byRows.get(rows)!) : '–'))])
  return table(['process', ...sizes.map((rows) => `${wholeNumber(rows)} rows`)], lines)
}
