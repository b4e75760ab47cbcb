/** Loads a definitions file: every feature set that it exports, version by version. */
import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { checkApplicable } from '../feature-defs/applicable.ts'
import type { Definition, FeatureSet } from '../feature-defs/feature-set.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Config } from './config.ts'

/** Feature sets by name, in the order in which the file makes them; each a chain of versions, index = version. */
export type Definitions = ReadonlyMap<string, readonly Definition[]>

export async function loadDefinitions(file: string | undefined): Promise<Definitions> {
  const exported = file === undefined ? await import('../examples/loans/loan-risk.ts') : await importUserFile(file)
  // A module hands out what it exports by the alphabet: the first set is the one that the file makes first.
  const found = Object.values(exported)
    .flat()
    .filter(isFeatureSet)
    .sort((a, b) => a.made - b.made)
    .map(({ definition }) => definition)
  if (found.length === 0)
    throw new Problem(`${file ?? 'the definitions'} exports no feature set`, 'Export each version, e.g. export const v0 = featureSet(…).')

  checkApplicable(found)
  const bySet = Map.groupBy(found, ({ set }) => set)
  for (const [set, versions] of bySet) {
    versions.sort((a, b) => a.version - b.version)
    const missing = versions.findIndex(({ version }, i) => version !== i)
    if (missing !== -1) {
      throw new Problem(
        `${file ?? 'the definitions'}: ${set} has ` +
          `${versions[missing]!.version < missing ? `two versions ${versions[missing]!.version}` : `no version ${missing}`}`,
        'Export every version once, each made from the one before.',
      )
    }
  }
  return bySet
}

/** Those that the config names, of which its streams must be. */
export async function definitionsOf({ features, streams }: Pick<Config, 'features' | 'streams'>): Promise<Definitions> {
  const definitions = await loadDefinitions(features)
  const records = recordsIn(definitions)
  const unknown = Object.keys(streams).find((name) => !records.includes(name))
  if (unknown !== undefined) {
    const todo = `Correct "streams" in the config: the records of the definitions are ${records.join(', ')}.`
    throw new Problem(`the config has a stream ${unknown}, and the definitions no record of that name`, todo, { usage: true })
  }
  return definitions
}

/** The names of the records that the sets are over. */
export const recordsIn = (definitions: Definitions): readonly string[] => [
  ...new Set([...definitions.values()].flatMap((chain) => chain.map(({ record }) => record.name))),
]

/** The versions of the set, of which this one must be there. */
export function chainOf(definitions: Definitions, set: string, version = 0): readonly Definition[] {
  const chain = definitions.get(set)
  if (!chain) throw new Problem(`there is no feature set ${set}`, `The definitions have ${[...definitions.keys()].join(', ')}.`)
  if (!chain[version])
    throw new Problem(`there is no ${set}@${version}`, `The definitions have versions 0 to ${chain.length - 1} of ${set}.`)
  return chain
}

const isFeatureSet = (value: unknown): value is FeatureSet =>
  typeof value === 'object' && value !== null && 'definition' in value && 'add' in value && 'replace' in value

async function importUserFile(file: string): Promise<Record<string, unknown>> {
  if (!existsSync(file)) throw new Problem(`the definitions file ${file} is not there`, 'Check "features" in the config.')
  // The language a user's file imports is the one that runs: no second copy, and nothing to install beside the file.
  const language = new URL('../definitions.ts', import.meta.url)
  const own = existsSync(language) ? language.href : language.href.replace(/\.ts$/, '.js')
  const hooks = registerHooks({
    resolve: (specifier, context, next) => (specifier === 'tidemark' ? { url: own, shortCircuit: true } : next(specifier, context)),
    // Definitions import and export, whatever the package.json above them says of files that do not say it themselves.
    load: (url, context, next) =>
      next(url, context.format === 'commonjs-typescript' ? { ...context, format: 'module-typescript' } : context),
  })
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(
      `the definitions file ${file} does not load: ${(error as Error).message.replace(/\s+/g, ' ')}`,
      'Correct it and try again.',
      { cause: error },
    )
  } finally {
    hooks.deregister()
  }
}
