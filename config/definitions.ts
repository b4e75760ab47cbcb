/** Loads a definitions file: every feature set that it exports, version by version. */
import { existsSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkApplicable } from '../feature-defs/applicable.ts'
import { label, type Definition, type FeatureSet } from '../feature-defs/feature-set.ts'
import type { ModelSpec } from '../feature-defs/models/model.ts'
import { sealed, type FoundModel } from '../feature-defs/models/sealed.ts'
import { isEvent, type EventSchema } from '../schemas/event.ts'
import { isFact, type FactSchema } from '../schemas/fact.ts'
import { isJoined, tablesOf } from '../schemas/joined.ts'
import type { Table } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'
import { checksumOf } from './models.ts'
import type { Config } from './shape.ts'

/** Feature sets by name, in the order in which the file makes them; each a chain of versions, index = version. */
export type Definitions = ReadonlyMap<string, readonly Definition[]>

export async function loadDefinitions(file: string | undefined): Promise<Definitions> {
  const exported = file === undefined ? await import('../examples/loans/loan-risk.ts') : await importUserFile(file)
  // A module hands out what it exports by the alphabet: the first set is the one that the file makes first.
  const loaded = Object.values(exported)
    .flat()
    .filter(isFeatureSet)
    .sort((a, b) => a.made - b.made)
    .map(({ definition }) => definition)
  if (loaded.length === 0)
    throw new Problem(`${file ?? 'the definitions'} exports no feature set`, 'Export each version, e.g. export const v0 = featureSet(…).')

  checkApplicable(loaded)
  const found = await Promise.all(loaded.map((definition) => sealed(definition, modelsBeside(file, definition))))
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

/** Those that the config names, of which its streams and ticks must be. */
export async function definitionsOf({ features, streams, ticks }: Pick<Config, 'features' | 'streams' | 'ticks'>): Promise<Definitions> {
  const definitions = await loadDefinitions(features)
  const refuse = (what: string, todo: string): never => {
    throw new Problem(what, todo, { usage: true })
  }
  const facts = factsIn(definitions)
  const names = [...recordsIn(definitions), ...[...eventsIn(definitions), ...facts].map(({ name }) => name)]
  const unknown = Object.keys(streams).find((name) => !names.includes(name))
  const all = `the records${facts.length > 0 ? ' and facts' : ''} of the definitions are ${names.join(', ')}`
  if (unknown !== undefined)
    refuse(`the config has a stream ${unknown}, and the definitions no record of that name`, `Correct "streams" in the config: ${all}.`)
  for (const [name, { every }] of Object.entries(ticks)) {
    const fact = facts.find((one) => one.name === name)
    const known = facts.length > 0 ? `the facts of the definitions are ${facts.map((one) => one.name).join(', ')}` : 'there are no facts'
    if (!fact)
      refuse(`the config has ticks of ${name}, and the definitions no fact of that name`, `Correct "ticks" in the config: ${known}.`)
    else if (every === 'hour' && fact.fields[fact.at]!.kind === 'date')
      refuse(
        `the config has ticks of ${name} every hour, and ${fact.at}, which says when it happened, is a date`,
        `Use "every": "day", or make ${fact.at} a timestamp() field.`,
      )
  }
  return definitions
}

const definedOver = (definitions: Definitions) => [...definitions.values()].flatMap((chain) => chain.map(({ record }) => record))

/** The names of the records that the sets are over, facts and events left out. */
export const recordsIn = (definitions: Definitions): readonly string[] => [
  ...new Set(definedOver(definitions).flatMap((record) => (isJoined(record) ? [] : [record.name]))),
]

/** The facts that the sets are over, each once. */
export const factsIn = (definitions: Definitions): readonly FactSchema[] => onePerName(definedOver(definitions).filter(isFact))

/** The events that the sets are over, each once. */
export const eventsIn = (definitions: Definitions): readonly EventSchema[] => onePerName(definedOver(definitions).filter(isEvent))

/** The tables that those facts and events need, each once. */
export const tablesIn = (definitions: Definitions): readonly Table[] =>
  onePerName(definedOver(definitions).filter(isJoined).flatMap(tablesOf))

/** Those of one name are the same, as definitions with different ones do not load. */
const onePerName = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] => [
  ...new Map(all.map((one) => [one.name, one])).values(),
]

/** The versions of the set, of which this one must be there. */
export function chainOf(definitions: Definitions, set: string, version = 0): readonly Definition[] {
  const chain = definitions.get(set)
  if (!chain) throw new Problem(`there is no feature set ${set}`, `The definitions have ${[...definitions.keys()].join(', ')}.`)
  if (!chain[version])
    throw new Problem(`there is no ${set}@${version}`, `The definitions have versions 0 to ${chain.length - 1} of ${set}.`)
  return chain
}

/** Files of models by their paths from the definitions. One whose checksum is written down may be gone: the store keeps it. */
const modelsBeside =
  (file: string | undefined, definition: Definition) =>
  async ({ of, sha256 }: ModelSpec, feature: string): Promise<FoundModel> => {
    const path = resolve(file === undefined ? '.' : dirname(file), of)
    const where = `${label(definition)}: feature ${feature}: its model ${of}`
    if (!existsSync(path)) {
      if (sha256 !== undefined) return { sha256 }
      throw new Problem(
        `${where} is not there: ${path}`,
        'Put the file there; of a released version write its checksum into the definition, sha256: …, which tidemark schemas ID shows.',
      )
    }
    const found = checksumOf(readFileSync(path))
    if (sha256 === undefined || found === sha256) return { path, sha256: found }
    throw new Problem(
      `${where} is another file: its checksum is ${found}, and the definition says ${sha256}`,
      'Put the file back as it was; another model is the next version, made by replace({ … }).',
    )
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
