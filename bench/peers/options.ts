/** What the command line of the comparison with peers can say. */
import { parseArgs } from 'node:util'
import { Problem } from '../../utilities/values/problem.ts'

export type Options = {
  readonly rows: number
  readonly rounds: number
  /** Whether this lane, or the group it belongs to, was asked for. */
  readonly wants: (word: string, group: string) => boolean
  readonly write: boolean
  /** The stream's features are of so many keys; undefined for one stream of all. */
  readonly keys: number | undefined
  /** Each lane waits a while for other programs to take no more than this share of the processors, and does not count if they did. */
  readonly othersAtMost: number
}

const usualRows = 200_000
const usualRounds = 3

/** `lanes` are the words of every lane by its group. */
export function readOptions(lanes: ReadonlyMap<string, readonly string[]>): Options {
  const { rows, rounds, only, others, keys, write = false } = words()
  const asked = only?.split(',')
  const known = [...lanes.keys(), ...[...lanes.values()].flat()]
  const unknown = asked?.find((word) => !known.includes(word))
  if (unknown !== undefined)
    throw usage(
      `there is no lane ${unknown}`,
      `The lanes are ${[...lanes].map(([group, all]) => `${group} (${all.join(', ')})`).join(', ')}.`,
    )
  return {
    rows: rows === undefined ? usualRows : whole('rows', rows, 1_000_000),
    rounds: rounds === undefined ? usualRounds : whole('rounds', rounds, usualRounds),
    wants: (word, group) => asked === undefined || asked.includes(word) || asked.includes(group),
    write,
    keys: keys === undefined ? undefined : whole('keys', keys, 100_000),
    othersAtMost: others === undefined ? 1 : whole('others', others, 10) / 100,
  }
}

function words() {
  const text = { type: 'string' } as const
  try {
    return parseArgs({ options: { rows: text, rounds: text, only: text, others: text, keys: text, write: { type: 'boolean' } } }).values
  } catch (error) {
    throw usage(
      (error as Error).message.split(/\. |\n/)[0]!,
      'The options are --rows, --rounds, --only, --others, --keys and --write; see docs/benchmarks.md.',
    )
  }
}

function whole(name: string, text: string, example: number): number {
  if (!/^[1-9]\d*$/.test(text)) throw usage(`--${name} ${text} is not a whole number`, `Give e.g. --${name} ${example}.`)
  return Number(text)
}

const usage = (what: string, todo: string) => new Problem(what, todo, { usage: true })
