/**
 * `npm run bench:serve`: the same requests for features to Tidemark and to Feast's servers, side by side, in turns: how many a second, how
 * long they take, and what processor time each takes.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeWorkDir, workDir } from './child.ts'
import { text, wordsOf } from './options.ts'
import { median, table, wholeNumber } from './report.ts'
import { bodies } from './serve-data.ts'
import { load, type Measured } from './serve-load.ts'
import { startSide, type Side, type SideName } from './serve-sides.ts'

const all = ['tidemark', 'feast-go-redis', 'feast-go-sqlite', 'feast-python-redis'] as const satisfies readonly SideName[]
const connections = [1, 8, 32]
const say = (words: string) => process.stdout.write(`${words}\n`)

const { keys = '100000', rounds = '4', seconds = '1', only } = wordsOf({ keys: text, rounds: text, seconds: text, only: text })
const wanted = only === undefined ? all : all.filter((name) => only.split(',').includes(name))

makeWorkDir()
const folder = mkdtempSync(join(workDir, 'serve-'))
const sides: Side[] = []
try {
  for (const name of wanted) {
    sides.push(await startSide(name, join(folder, name), Number(keys)))
    say(`${sides.at(-1)!.name} answers`)
  }
  for (const perRequest of [1, 100]) compare(perRequest)
} finally {
  for (const side of sides) await side.stop()
  rmSync(folder, { recursive: true, force: true })
}

function compare(perRequest: number): void {
  const asked = bodies(Number(keys), perRequest)
  const measured = new Map<string, Measured[]>()
  const idOf = ({ name }: Side, count: number) => `${name} ${count}`
  // The first round is for warming up.
  for (let round = 0; round <= Number(rounds); round++)
    for (const count of connections)
      for (const side of sides) {
        const one = load({ ...side, bodies: asked, connections: count, seconds: Number(seconds) })
        if (round > 0) measured.set(idOf(side, count), [...(measured.get(idOf(side, count)) ?? []), one])
      }
  const of = (side: Side, count: number, figure: keyof Measured) => median(measured.get(idOf(side, count))!.map((one) => one[figure]))
  const rows = sides.map((side) => [
    side.name,
    ...connections.flatMap((count) => [
      wholeNumber(Math.round(of(side, count, 'perSecond'))),
      `${of(side, count, 'p50Ms').toFixed(2)} / ${of(side, count, 'p99Ms').toFixed(2)}`,
      of(side, count, 'cpuMicros').toFixed(0),
    ]),
  ])
  const head = connections.flatMap((count) => [`${count}: requests/s`, 'p50 / p99 ms', 'CPU µs'])
  say(`\n${perRequest} × 4 features, at ${connections.join(', ')} connections, medians of ${rounds} rounds of ${seconds} s\n`)
  say(table(['server', ...head], rows))
}
