/**
 * `npm run bench:peers`: Tidemark and its peers doing the same loan job, turn about, in one run; every lane is checked before its time
 * counts.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { missingForKafka } from '../test/kafka/broker.ts'
import { Problem } from '../utilities/values/problem.ts'
import { root } from './child.ts'
import { dataOf, keyedDataOf } from './data.ts'
import { duckdbVersion } from './duckdb.ts'
import { batchLanes } from './peers/batch-lanes.ts'
import { pictures } from './peers/charts.ts'
import { expectedOf } from './peers/expected.ts'
import { readOptions, type Options } from './peers/options.ts'
import { producerLanes } from './peers/producer-lanes.ts'
import { resultJson } from './peers/results.ts'
import { runRounds, type Lanes } from './peers/run-rounds.ts'
import { resultsOf, sectionsOf } from './peers/sections.ts'
import { streamLanes } from './peers/stream-lanes.ts'
import { javaVersion } from './peers/tools.ts'
import { machine, writeSections } from './report.ts'

const groups = new Map([
  ['producers', producerLanes.map(({ word }) => word)],
  ['streams', streamLanes.map(({ word }) => word)],
  ['batches', batchLanes.map(({ word }) => word)],
])

const say = (text: string) => process.stderr.write(`${text}\n`)

type Preparable = { readonly word: string; prepare(): Promise<unknown> }
type Prepared<Lane extends Preparable> = { readonly lane: Lane; readonly command: Awaited<ReturnType<Lane['prepare']>> }

/** Those that were asked for and can run here; of the others it says why not. */
async function prepared<Lane extends Preparable>(
  group: string,
  lanes: readonly Lane[],
  { wants }: Options,
  missing: string | undefined,
): Promise<Prepared<Lane>[]> {
  const wanted = lanes.filter(({ word }) => wants(word, group))
  if (missing !== undefined && wanted.length > 0) say(`${group} are left out: ${missing}`)
  const ready: Prepared<Lane>[] = []
  for (const lane of missing === undefined ? wanted : []) {
    try {
      ready.push({ lane, command: (await lane.prepare()) as Prepared<Lane>['command'] })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      say(`${lane.word} is left out: ${error.what}`)
    }
  }
  return ready
}

async function main(options: Options): Promise<void> {
  const { rows, keys, write } = options
  const keyed = keys !== undefined
  const noKafka = missingForKafka()
  const duckdb = await duckdbVersion()
  const lanes: Lanes = {
    producers: keyed ? [] : await prepared('producers', producerLanes, options, noKafka),
    streams: await prepared('streams', keyed ? streamLanes.filter(({ byKey }) => byKey) : streamLanes, options, noKafka),
    batches: keyed
      ? []
      : await prepared(
          'batches',
          batchLanes,
          options,
          duckdb === undefined ? 'DuckDB, which also checks them, is not installed' : undefined,
        ),
  }
  const data = keys === undefined ? await dataOf(rows) : await keyedDataOf(rows, keys)
  const outcomes = await runRounds(lanes, { data, expected: await expectedOf(data, keyed), options, say })
  const all = resultsOf(outcomes)
  const results = keyed ? { streams: all.streams, producers: [], tables: [], parquet: [] } : all
  const rounds = Math.max(0, ...[...outcomes.values()].map(({ size }) => size))

  const when = machine({ Node: process.versions.node, Java: noKafka === undefined ? await javaVersion() : undefined, DuckDB: duckdb })
  const runsText = rounds === 1 ? 'one round' : `${rounds} rounds, turn about`
  const sections = new Map<string, string>()
  for (const [name, { title, text }] of sectionsOf(results, rows, keys)) {
    process.stdout.write(`\n${title}, ${runsText}\n\n${text}\n`)
    sections.set(name, `${title}, ${runsText}. Measured ${when}.\n\n${text}\n`)
  }
  if (!write) return
  writeSections(join(root, 'docs/benchmarks.md'), sections)
  for (const [group, lanes] of Object.entries(results)) {
    if (lanes.some(({ rounds }) => rounds.size > 0))
      writeFileSync(
        join(root, `bench/peers/results-${keyed ? 'keyed' : group}.json`),
        resultJson(lanes, { measured: when, rows, keys, rounds }),
      )
  }
  mkdirSync(join(root, 'docs/pictures'), { recursive: true })
  for (const [name, svg] of keyed ? [] : pictures(results, rows)) writeFileSync(join(root, 'docs/pictures', name), svg)
  say('\nwritten to docs/benchmarks.md, docs/pictures and bench/peers/results-*.json')
}

try {
  await main(readOptions(groups))
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`bench:peers: ${error.what}. ${error.todo}\n`)
  process.exitCode = error.exitCode
}
