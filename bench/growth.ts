/** `npm run bench:growth`: how cost grows with rows, keys, windows, features and live versions, a table and a picture for each; and where the time goes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Problem } from '../utilities/problem.ts'
import { makeWorkDir, root, workDir } from './child.ts'
import { pictureOf, tableOf, type Curve, type GrowthOptions } from './growth-curve.ts'
import { growthOfFeatures, growthOfKeys, growthOfWindows } from './growth-inside.ts'
import { growthOfRows, growthOfVersions } from './growth-processes.ts'
import { whereTimeGoes } from './growth-stages.ts'
import { machine, writeSections } from './report.ts'

const parts: Record<string, (options: GrowthOptions) => Promise<Curve[]>> = {
  rows: growthOfRows,
  keys: growthOfKeys,
  windows: growthOfWindows,
  features: growthOfFeatures,
  versions: growthOfVersions,
}

/** A table without a picture. */
const stages = 'stages'

const say = (text: string) => process.stderr.write(`${text}\n`)

/** --write puts the pictures into docs/pictures and the tables into docs/benchmarks.md; without it the pictures go to the benchmark's own folder. */
async function main(): Promise<void> {
  const { quick = false, write = false, only = [...Object.keys(parts), stages].join(','), runs = quick ? '1' : '3', sizes } = parseArgs({
    options: { quick: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' }, runs: { type: 'string' }, sizes: { type: 'string' } },
  }).values
  const options: GrowthOptions = { quick, runs: Number(runs), sizes: sizes?.split(',').map(Number), say }
  const chosen = only.split(',')
  const unknown = chosen.find((name) => !(name in parts) && name !== stages)
  if (unknown !== undefined) throw new Problem(`there is no part ${unknown}`, `The parts are ${[...Object.keys(parts), stages].join(', ')}.`, { usage: true })
  if (sizes !== undefined && chosen.length > 1) throw new Problem('--sizes is for one part', 'Give --only with it.', { usage: true })

  makeWorkDir()
  const pictures = write ? join(root, 'docs/pictures') : workDir
  mkdirSync(pictures, { recursive: true })
  const sections = new Map<string, string>()
  for (const name of chosen.filter((one) => one !== stages)) {
    for (const curve of await parts[name]!(options)) {
      const runsText = options.runs === 1 ? 'one run' : `${options.runs} runs`
      const text = `${curve.title}. ${curve.subtitle.join(' ')} ${runsText[0]!.toUpperCase()}${runsText.slice(1)}, ${machine({ Node: process.versions.node })}.\n\n${tableOf(curve)}\n`
      process.stdout.write(`\n${text}`)
      writeFileSync(join(pictures, `${curve.name}.svg`), pictureOf(curve))
      sections.set(curve.name, `![${curve.title}](pictures/${curve.name}.svg)\n\n${text}`)
    }
  }
  if (chosen.includes(stages)) {
    const text = await whereTimeGoes(options)
    process.stdout.write(`\n${text}`)
    sections.set(stages, text)
  }
  if (write) writeSections(join(root, 'docs/benchmarks.md'), sections)
  say(`\npictures are in ${pictures}`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`bench:growth: ${error.what}. ${error.todo}\n`)
  process.exitCode = error.exitCode
}
