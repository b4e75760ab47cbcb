/** `--features`: definitions that take the place of the config's or, where a command asks for one, a feature set. */
import { resolve } from 'node:path'
import { Problem } from '../utilities/values/problem.ts'
import type { Command, Context, Options } from './command.ts'

/** A set has neither a dot nor a slash in its name. */
const isFile = (word: string): boolean => /[./\\]/.test(word)

export function withFeatures({ options = [] }: Command, { features }: Options, config: Context['config']): Context['config'] {
  if (typeof features !== 'string') return config
  if (isFile(features)) return { ...config, features: resolve(features) }
  if (options.some(([flags]) => flags === '--features <set>' || flags === '--features <names>')) return config
  throw new Problem(`--features ${features} is no file`, 'Name a definitions file, e.g. --features ./definitions.ts.', { usage: true })
}

/** The set, or a version of it, that is named as an argument or so. */
export function setNamed([word]: readonly string[], { features }: Options): string | undefined {
  const set = typeof features === 'string' && !isFile(features) ? features : undefined
  if (word === undefined || set === undefined || word === set) return word ?? set
  throw new Problem(`${word} and ${set} are both named`, 'Name one of them.', { usage: true })
}
