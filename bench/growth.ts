/**
 * `npm run bench:growth`: how cost grows with rows, keys, windows, features and live versions, in tables and pictures; and where the time
 * goes.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../utilities/values/problem.ts'
import { makeWorkDir, root, workDir } from './child.ts'
import { pictureOf, tableOf, type Curve, type GrowthOptions } from './growth-curve.ts'
import { growthOfFeatures, growthOfKeys, growthOfWindows } from './growth-inside.ts'
import { growthOfRows, growthOfVersions } from './growth-processes.ts'
import { whereTimeGoes } from './growth-stages.ts'
import { flag, text, usage, whole, wordsOf } from './options.ts'
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

/**
 * --write puts the pictures into docs/pictures and the tables into docs/benchmarks.md; without it the pictures go to the benchmark's own
 * folder.
 */
async function main(): Promise<void> {
  const known = [...Object.keys(parts), stages]
  const {
    quick = false,
    write = false,
    only = known.join(','),
    runs = quick ? '1' : '3',
    sizes,
  } = wordsOf({ quick: flag, write: flag, only: text, runs: text, sizes: text })
  const options: GrowthOptions = {
    quick,
    runs: whole('runs', runs, 3),
    sizes: sizes?.split(',').map((size) => whole('sizes', size, 1_000_000)),
    say,
  }
  const chosen = only.split(',')
  const unknown = chosen.find((name) => !known.includes(name))
  if (unknown !== undefined) throw usage(`there is no part ${unknown}`, `The parts are ${known.join(', ')}.`)
  if (sizes !== undefined && chosen.length > 1) throw usage('--sizes is for one part', 'Give --only with it.')

  makeWorkDir()
  const pictures = write ? join(root, 'docs/pictures') : workDir
  mkdirSync(pictures, { recursive: true })
  const sections = new Map<string, string>()
  for (const name of chosen.filter((one) => one !== stages)) {
    for (const curve of await parts[name]!(options)) {
      const runsText = options.runs === 1 ? 'one run' : `${options.runs} runs`
      const said =
        `${curve.title}. ${curve.subtitle.join(' ')} Measured ${machine({ Node: process.versions.node })}; ` +
        `${runsText}.\n\n${tableOf(curve)}\n`
      process.stdout.write(`\n${said}`)
      writeFileSync(join(pictures, `${curve.name}.svg`), pictureOf(curve))
      sections.set(curve.name, `![${curve.title}](pictures/${curve.name}.svg)\n\n${said}`)
    }
  }
  if (chosen.includes(stages)) {
    const said = await whereTimeGoes(options)
    process.stdout.write(`\n${said}`)
    sections.set(stages, said)
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
