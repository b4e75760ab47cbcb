/** Reads what people type: years, SET@VERSION, whole numbers. Each mistake is said in one line, with the right form. */
import { everyYear } from '../schemas/csv/selection.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Options } from './command.ts'

export const usage = (what: string, todo: string) => new Problem(what, todo, { usage: true })

export function years(options: Options, fallback?: string): readonly [number, number] {
  const given = options['years'] ?? fallback
  const form = 'Give a year or a range, e.g. --years 2008 or --years 2008-2009.'
  if (typeof given !== 'string') throw usage('--years is missing', form)
  const match = /^(\d{4})(?:-(\d{4}))?$/.exec(given)
  if (!match) throw usage(`--years ${given} is not a year or a range of years`, form)
  const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])]
  const early = [from, to].find((year) => year < everyYear[0])
  if (early !== undefined) throw usage(`--years ${given} begins before ${everyYear[0]}`, `Give years from ${everyYear[0]} on.`)
  if (to < from) throw usage(`--years ${given} runs backwards`, `Did you mean --years ${to}-${from}?`)
  return [from, to]
}

export function setAtVersion(word: string | undefined): { readonly set: string; readonly version: number } {
  const match = /^([a-z][a-z0-9_]*)@v?(\d{1,6})$/.exec(word ?? '')
  const [typed = 'SET'] = /^[a-z][a-z0-9_]*/.exec(word ?? '') ?? []
  if (!match) throw usage(`${word ?? 'nothing'} is not SET@VERSION`, `Name a version of a feature set, e.g. ${typed}@1.`)
  return { set: match[1]!, version: Number(match[2]) }
}

export function wholeNumber(options: Options, name: string, { least = 0, most = Number.MAX_SAFE_INTEGER } = {}): number | undefined {
  const given = options[name]
  if (given === undefined) return undefined
  const value = /^\d+$/.test(String(given)) ? Number(given) : NaN
  if (value >= least && value <= most) return value
  const from = least > 0 ? ` from ${least} on` : ''
  throw usage(`--${name} ${String(given)} is not a whole number${from}`, `Give a number, e.g. --${name} ${Math.max(least, 1000)}.`)
}
