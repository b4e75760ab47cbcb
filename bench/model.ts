/**
 * A model of 100 trees over 1 million rows: Tidemark's blocks of 256 on WebAssembly beside onnxruntime in Python on one thread, by turns,
 * with the same bits. npm run bench:model, with -- --rows N --rounds N.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { modelsOf } from '../config/models.ts'
import { date, featureSet, model, number, record } from '../feature-defs/language.ts'
import { scoresOf } from '../feature-defs/models/scores.ts'
import { sealed } from '../feature-defs/models/sealed.ts'
import { installPython, installRuntime } from '../test/models/installed.ts'
import { randomFrom } from '../test/seeded.ts'
import { openOnnx } from '../utilities/onnx/runtime.ts'

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '5' } } })
const [rows, rounds] = [Number(values.rows), Number(values.rounds)]
const folder = mkdtempSync(join(tmpdir(), 'tidemark-model-'))
const [home, python] = [await installRuntime(), await installPython()]
const script = join(import.meta.dirname, 'model.py')
const ask = (...words: readonly string[]) =>
  execFileSync(python, [script, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

type Took = { readonly wall: number; readonly own: number }
const median = (some: readonly number[]) => some.toSorted((a, b) => a - b)[Math.floor(some.length / 2)]!
const perSecond = (took: readonly Took[], of: keyof Took) => `${Math.round(rows / median(took.map((one) => one[of])) / 1000)}`.padStart(8)

try {
  const [path, floats] = [join(folder, 'trees.onnx'), join(folder, 'rows.bin')]
  ask('make', path)
  const random = randomFrom(9)
  const columns = Array.from({ length: 4 }, () => Float64Array.from({ length: rows }, () => Math.fround(600 + (random() - 0.5) * 300)))
  const flat = new Float32Array(rows * 4)
  for (const [i, column] of columns.entries()) for (let row = 0; row < rows; row++) flat[row * 4 + i] = column[row]!
  writeFileSync(floats, new Uint8Array(flat.buffer))

  const loan = record('loan', 'day', { day: date({ nullable: false }), a: number(), b: number(), c: number(), d: number() })
  const trees = model('trees.onnx', { inputs: ['a', 'b', 'c', 'd'], output: 'probabilities', column: 1 })
  const { definition: plain } = featureSet({ name: 'loans', of: loan }, { risk: trees })
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
  const definition = await sealed(plain, async () => ({ path, sha256 }))
  const models = modelsOf({ checkpoints: undefined, open: (...file) => openOnnx(...file, [join(home, 'here')]) })
  const scores = await scoresOf(models, definition, definition.features[0]!)

  const ours: Took[] = []
  const native: Record<number, Took[]> = { 256: [], [rows]: [] }
  for (let round = 0; round < rounds; round++) {
    const [began, before] = [performance.now(), process.cpuUsage()]
    const found = await scores(columns, rows)
    const { user, system } = process.cpuUsage(before)
    ours.push({ wall: (performance.now() - began) / 1000, own: (user + system) / 1e6 })
    for (const block of [256, rows]) {
      native[block]!.push(JSON.parse(ask('run', path, String(block), floats)) as Took)
      const theirs = new Float32Array(new Uint8Array(readFileSync(`${floats}.out`)).buffer)
      const differ = found.reduce((sum, value, row) => (value === theirs[row] ? sum : sum + 1), 0)
      if (differ > 0) throw new Error(`${differ} of ${rows} rows differ from onnxruntime in Python`)
    }
  }
  const line = (what: string, took: readonly Took[]) => console.log(`${what.padEnd(48)}${perSecond(took, 'wall')}${perSecond(took, 'own')}`)
  console.log(`100 trees, ${rows} rows, medians of ${rounds} rounds, the same bits in all; thousand rows a second`)
  console.log(`${''.padEnd(48)}    wall     cpu`)
  line('Tidemark, blocks of 256, WebAssembly, one thread', ours)
  line('onnxruntime in Python, blocks of 256, one thread', native[256]!)
  line('onnxruntime in Python, one block, one thread', native[rows]!)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
