/** `npm run bench`: measures, prints, and with --write puts the tables into docs/benchmarks.md. */
import { join } from 'node:path'
import { Problem } from '../utilities/values/problem.ts'
import { measureBatch, type BatchResult } from './batch.ts'
import { measureCases } from './cases.ts'
import { root } from './child.ts'
import { codecCases } from './codecs.ts'
import { csvCases } from './csv.ts'
import { dataOf } from './data.ts'
import { duckdbVersion } from './duckdb.ts'
import { engineCases } from './engine.ts'
import { foreignCases } from './foreign.ts'
import { readOptions, type Options } from './options.ts'
import { machine, thousandRows, wholeNumber, writeSections } from './report.ts'
import { measureStream, waysOfStreaming, type StreamRun } from './stream.ts'
import { batchText, memoryText, noteBatch, noteStreams, streamText, type Peaks } from './tables.ts'

const fullRows = 27_600_000

const say = (text: string) => process.stderr.write(`${text}\n`)

async function main({ sizes, runs, only, full, write, nodeOptions }: Options): Promise<void> {
  const duckdb = await duckdbVersion()
  const when = machine({ Node: process.versions.node, SQLite: process.versions['sqlite'], DuckDB: duckdb })
  const runsText = runs === 1 ? 'one run' : `${runs} runs`
  const sections = new Map<string, string>()
  const show = (name: string, title: string, text: string) => {
    process.stdout.write(`\n${title}\n\n${text}\n`)
    sections.set(name, `${title}. Measured ${when}.\n\n${text}\n`)
  }
  const peaks: Peaks = new Map()

  const small = await dataOf(Math.min(...sizes))
  const inside = [
    ['engine', 'The engine, over 500 000 rows at most', engineCases],
    ['csv', `Reading a file of ${wholeNumber(small.rows)} rows`, csvCases],
    ['codecs', 'The codecs, over 200 000 rows at most', codecCases],
    ['foreign', 'Messages of others, 200 000 of them', foreignCases],
  ] as const
  for (const [part, title, cases] of inside) {
    if (only.includes(part)) show(part, `${title}, ${runsText}`, await measureCases(`bench/${part}.ts`, cases, small, { runs, say }))
  }

  if (only.includes('batch')) {
    const results = new Map<number, BatchResult>()
    for (const rows of sizes)
      results.set(rows, await measureBatch(await dataOf(rows), { runs, withDuckdb: duckdb !== undefined, nodeOptions, say }))
    for (const [rows, result] of results) noteBatch(peaks, rows, result)
    show('batch', `Batch: csv.gz → ma50, ma100 → warehouse, ${runsText}`, batchText(results))
  }

  if (only.includes('stream')) {
    const results = new Map<number, ReadonlyMap<string, readonly StreamRun[]>>()
    for (const rows of sizes) results.set(rows, await measureStreams(rows, runs, nodeOptions))
    for (const [rows, byWay] of results) noteStreams(peaks, rows, [...byWay.values()].flat())
    show('stream', `Stream: csv.gz → inflow → ma50, ma100 → outflow → warehouse, ${runsText}`, streamText(results))
  }

  if (full) await runFull(only, peaks)
  if (peaks.size > 0) show('memory', 'Peak memory in MB', memoryText(peaks))
  if (write) {
    writeSections(join(root, 'docs/benchmarks.md'), sections)
    say('\nwritten to docs/benchmarks.md')
  }
}

async function measureStreams(
  rows: number,
  runs: number,
  nodeOptions: readonly string[],
): Promise<ReadonlyMap<string, readonly StreamRun[]>> {
  const data = await dataOf(rows)
  const results = new Map<string, StreamRun[]>([...waysOfStreaming.keys()].map((way) => [way, []]))
  for (let turn = 1; turn <= runs; turn++) {
    for (const [way, done] of results) {
      const result = await measureStream(data, way, { nodeOptions })
      done.push(result)
      say(`stream of ${rows}, run ${turn}: ${way} ${result.seconds.toFixed(2)} s`)
    }
  }
  return results
}

/** Once, for memory: what grows with the stream shows here. */
async function runFull(only: Options['only'], peaks: Peaks): Promise<void> {
  const data = await dataOf(fullRows)
  if (only.includes('batch')) noteBatch(peaks, data.rows, await measureBatch(data, { runs: 1, withDuckdb: false, nodeOptions: [], say }))
  if (only.includes('stream')) {
    const result = await measureStream(data, 'produce while up runs', { nodeOptions: [] })
    say(`stream of ${data.rows}: ${result.seconds.toFixed(1)} s, ${thousandRows(data.rows, [result.seconds])} thousand rows/s`)
    noteStreams(peaks, data.rows, [result])
  }
}

try {
  await main(readOptions())
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`bench: ${error.what}. ${error.todo}\n`)
  process.exitCode = error.exitCode
}
