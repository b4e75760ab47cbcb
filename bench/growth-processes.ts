/** How the cost of whole processes grows: with the number of rows, and with the number of live versions. */
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { run, type Finished } from './child.ts'
import { dataOf } from './data.ts'
import type { Curve, GrowthOptions, Measured } from './growth-curve.ts'
import { inScratch, type Scratch } from './scratch.ts'

type Measures = ReadonlyMap<string, ReadonlyMap<number, readonly Finished[]>>

const tidemark = ({ configFile }: Scratch, words: string) => run('tidemark.js', [...words.split(' '), '--config', configFile])

/** More rows than this take minutes, and are gone through once. */
const mostRepeated = 5_000_000

type Once = (size: number) => Promise<readonly Finished[]>

/** Round by round, each command in turn at every size. */
async function measured(
  commands: readonly string[],
  sizes: readonly number[],
  { runs, say }: GrowthOptions,
  once: Once,
): Promise<Measures> {
  const all = new Map(commands.map((name) => [name, new Map<number, Finished[]>(sizes.map((size) => [size, []]))]))
  for (let turn = 1; turn <= runs; turn++) {
    for (const size of sizes.filter((one) => turn === 1 || one <= mostRepeated)) {
      const finished = await once(size)
      commands.forEach((name, i) => all.get(name)!.get(size)!.push(finished[i]!))
      say(`run ${turn}, ${size}: ${commands.map((name, i) => `${name} ${finished[i]!.seconds.toFixed(1)} s`).join(', ')}`)
    }
  }
  return all
}

const linesOf = (measures: Measures, figure: (finished: Finished, size: number) => number) =>
  [...measures].map(([name, bySize]) => ({
    name,
    points: [...bySize].map(([size, all]): Measured => ({ size, values: all.map((finished) => figure(finished, size)) })),
  }))

const megabytesOf = ({ peakBytes }: Finished) => peakBytes / 1e6
const microsPer =
  (rows: number) =>
  ({ cpuSeconds }: Finished) =>
    (cpuSeconds / rows) * 1e6

export async function growthOfRows(options: GrowthOptions): Promise<Curve[]> {
  const sizes = options.sizes ?? (options.quick ? [100_000, 1_000_000] : [100_000, 1_000_000, 10_000_000, 27_600_000])
  const measures = await measured(['backfill', 'produce', 'up'], sizes, options, async (size) => {
    const { file, rows, years } = await dataOf(size)
    const backfill = await inScratch(async (scratch) => {
      await tidemark(scratch, 'apply loan_risk@0 --yes')
      return tidemark(scratch, `backfill --years ${years} --file ${file}`)
    })
    return inScratch(async (scratch) => {
      await tidemark(scratch, 'apply loan_risk@0 --yes')
      const produce = await tidemark(scratch, `produce --years ${years} --file ${file}`)
      const up = await tidemark(scratch, 'up --until-caught-up')
      await checkRows(scratch, 'loan_risk', rows)
      return [backfill, produce, up]
    })
  })
  const shared = { across: 'rows', log: true }
  return [
    {
      ...shared,
      name: 'growth-rows',
      title: 'Rows: processor time, µs a row',
      subtitle: ['Whole processes, start-up included: csv.gz → ma50, ma100 → warehouse.', 'In batch; and as a stream, produce before up.'],
      lines: linesOf(measures, (finished, size) => microsPer(size)(finished)),
    },
    {
      ...shared,
      name: 'growth-rows-memory',
      title: 'Rows: peak memory of the process, MB',
      subtitle: ['The same runs.'],
      lines: linesOf(measures, megabytesOf),
    },
  ]
}

/** A process that ended early would look fast. */
async function checkRows({ configFile }: Scratch, view: string, rows: number): Promise<void> {
  const answer = await run('tidemark.js', ['query', `SELECT count(*) AS n FROM ${view}`, '--format', 'json', '--config', configFile])
  const counted = (JSON.parse(answer.stdout) as readonly [{ readonly n: number }])[0].n
  if (Number(counted) !== rows) throw new Error(`${view} shows ${counted} rows, not ${rows}`)
}

export async function growthOfVersions(options: GrowthOptions): Promise<Curve[]> {
  const sizes = options.sizes ?? [1, 2, 3]
  const data = await dataOf(options.quick ? 200_000 : 1_000_000)
  let records = 0
  const measures = await measured(['consume', 'sink'], sizes, options, (versions) =>
    inScratch(async (scratch) => {
      writeFileSync(
        scratch.configFile,
        JSON.stringify({ dataDir: join(scratch.dir, 'tidemark'), features: join(import.meta.dirname, 'growth-versions.ts') }),
      )
      await tidemark(scratch, 'apply loan_risk@0 --yes')
      // A shadow, which is computed beside the promoted version, needs a history to fill: the first year.
      await tidemark(scratch, `produce --years ${data.years.slice(0, 4)} --file ${data.file}`)
      await tidemark(scratch, 'up --until-caught-up')
      for (let version = 1; version < versions; version++) await tidemark(scratch, `apply loan_risk@${version} --shadow --yes`)
      const produced = await tidemark(scratch, `produce --years ${data.years} --file ${data.file} --json`)
      records = (JSON.parse(produced.stdout) as { rows: number }).rows
      const finished = [await tidemark(scratch, 'consume --until-caught-up'), await tidemark(scratch, 'sink --until-caught-up')]
      for (let version = 0; version < versions; version++) await checkRows(scratch, `loan_risk_v${version}`, data.rows)
      return finished
    }),
  )
  return [
    {
      name: 'growth-versions',
      title: 'Live versions: processor time, µs a record of inflow',
      across: 'versions live',
      log: false,
      subtitle: ['Each version has one or two features; each makes a message and a row of its own for every record.'],
      lines: linesOf(measures, microsPer(records)),
    },
  ]
}
