/** What the command line of the benchmark can say. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { Problem } from '../utilities/values/problem.ts'

const parts = ['engine', 'csv', 'codecs', 'foreign', 'batch', 'stream'] as const
type Part = (typeof parts)[number]

export type Options = {
  readonly sizes: readonly number[]
  readonly runs: number
  readonly only: readonly Part[]
  readonly full: boolean
  readonly write: boolean
  /** What Node itself is told when it runs a Tidemark command. */
  readonly nodeOptions: readonly string[]
}

const usualSizes = [1_000_000, 5_000_000]
const usualRuns = 3

export function readOptions(): Options {
  const { rows, runs, only, full = false, write = false, profile } = words()
  return {
    sizes: rows?.split(',').map((text) => whole('rows', text, 1_000_000)) ?? usualSizes,
    runs: runs === undefined ? usualRuns : whole('runs', runs, usualRuns),
    only: only?.split(',').map(partOf) ?? parts,
    full,
    write,
    nodeOptions: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  }
}

export const text = { type: 'string' } as const
export const flag = { type: 'boolean' } as const

/** What the command line gives of these; a Problem for anything else. */
export function wordsOf<const T extends ParseArgsOptionsConfig>(options: T) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    const known = Object.keys(options)
      .map((name) => `--${name}`)
      .join(', ')
    throw usage((error as Error).message.split(/\. |\n/)[0]!, `The options are ${known}; see docs/benchmarks.md.`)
  }
}

function words() {
  return wordsOf({ rows: text, runs: text, only: text, full: flag, write: flag, profile: text })
}

export function whole(name: string, text: string, example: number): number {
  if (!/^[1-9]\d*$/.test(text)) throw usage(`--${name} ${text} is not a whole number`, `Give e.g. --${name} ${example}.`)
  return Number(text)
}

function partOf(name: string): Part {
  const part = parts.find((one) => one === name)
  if (!part) throw usage(`there is no part ${name}`, `The parts are ${parts.join(', ')}.`)
  return part
}

export const usage = (what: string, todo: string) => new Problem(what, todo, { usage: true })
