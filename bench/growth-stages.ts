/** Where the time of each stage goes: the real commands under Node's own profiler, their samples added up by what the code is for. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.ts'
import { dataOf } from './data.ts'
import type { GrowthOptions } from './growth-curve.ts'
import { machine, table, wholeNumber } from './report.ts'
import { inScratch } from './scratch.ts'

type Frame = { readonly functionName: string; readonly url: string }
type Profile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** The first that fits a frame takes its time. What SQLite or the operating system does for a function counts as that function. */
const purposes: readonly (readonly [string, (frame: Frame) => boolean])[] = [
  ['idle', ({ functionName }) => functionName === '(idle)'],
  ['collecting garbage', ({ functionName }) => functionName === '(garbage collector)'],
  ['between threads', ({ functionName, url }) => functionName === 'postMessage' || /internal\/worker|message/i.test(url)],
  ['inserting rows', ({ functionName, url }) => functionName === 'insertRows' && /\/utilities\/sqlite\/warehouse\//.test(url)],
  ['making the values to insert', ({ url }) => /\/utilities\/(sqlite\/warehouse|sql)\//.test(url)],
  ['transactions and commits', ({ url }) => url.endsWith('/utilities/sqlite/database.ts')],
  ['log and checkpoints', ({ url }) => /\/utilities\/sqlite\/(log|topics|checkpoints)\.ts$/.test(url)],
  ['reading CSV', ({ url }) => /\/schemas\/csv\//.test(url)],
  [
    'unpacking, checksum',
    ({ functionName, url }) => /\/utilities\/files\/|node:zlib|crypto/.test(url) || /^(update|read|writeBuffer)$/.test(functionName),
  ],
  ['encoding, splicing', ({ url }) => /\/schemas\/avro\/encode[^/]*$/.test(url)],
  ['decoding', ({ url }) => /\/schemas\/(avro\/decode[^/]*|wire\.ts)$/.test(url)],
  ['features', ({ url }) => /\/(feature-defs|streams)\//.test(url)],
  [
    'starting up',
    ({ url }) => /node:internal\/(modules|bootstrap|main|deps|process|source_map)|\/(node_modules|commands|use-cases|config)\//.test(url),
  ],
  ['the rest', () => true],
]

/** Processor and disk time in µs by purpose, of one thread. */
function timesOf(profile: Profile): Map<string, number> {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times = new Map<string, number>()
  profile.samples.forEach((id, i) => {
    const frame = frames.get(id)!
    const purpose = purposes.find(([, fits]) => fits(frame))![0]
    times.set(purpose, (times.get(purpose) ?? 0) + profile.timeDeltas[i]!)
  })
  return times
}

/** The threads of a command, the main one first. */
const threadsIn = (dir: string) =>
  readdirSync(dir)
    .sort()
    .map((file) => timesOf(JSON.parse(readFileSync(join(dir, file), 'utf8')) as Profile))

export async function whereTimeGoes({ quick, say }: GrowthOptions): Promise<string> {
  const { file, rows, years } = await dataOf(quick ? 200_000 : 1_000_000)
  const columns: (readonly [string, ReadonlyMap<string, number>])[] = []
  const inFresh = (commands: readonly string[]) =>
    inScratch(async ({ dir, configFile }) => {
      await run('tidemark.js', ['apply', 'loan_risk@0', '--yes', '--config', configFile])
      for (const words of commands) {
        const name = words.split(' ')[0]!
        const profiles = join(dir, `profiles-${name}`)
        await run('tidemark.js', [...words.split(' '), '--config', configFile], ['--cpu-prof', `--cpu-prof-dir=${profiles}`])
        say(words)
        threadsIn(profiles).forEach((times, i) => columns.push([i === 0 ? name : `${name}, writer thread`, times]))
      }
    })
  await inFresh([`produce --years ${years} --file ${file}`, 'consume --until-caught-up', 'sink --until-caught-up'])
  await inFresh([`backfill --years ${years} --file ${file}`])
  const cell = (times: ReadonlyMap<string, number>, purpose: string) => {
    const micros = (times.get(purpose) ?? 0) / rows
    return micros < 0.005 ? '' : micros.toFixed(2)
  }
  const sum = (times: ReadonlyMap<string, number>) =>
    [...times].reduce((all, [purpose, micros]) => all + (purpose === 'idle' ? 0 : micros), 0) / rows
  const lines = [
    ...purposes
      .map(([purpose]) => [purpose, ...columns.map(([, times]) => cell(times, purpose))])
      .filter(([purpose]) => purpose !== 'idle'),
    ['all of it', ...columns.map(([, times]) => sum(times).toFixed(2))],
    ['idle meanwhile', ...columns.map(([, times]) => cell(times, 'idle'))],
  ].filter(([, ...cells]) => cells.some((text) => text !== ''))
  const said = `µs a row over ${wholeNumber(rows)} rows, one run under the profiler. Measured ${machine({ Node: process.versions.node })}.`
  return `${said}\n\n${table(['', ...columns.map(([name]) => name)], lines)}\n`
}
