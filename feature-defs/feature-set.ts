/**
 * The language of feature definitions: a feature set is named, typed and versioned; a version is never edited, the next one is made from
 * it.
 */
import type { Field, RecordSchema } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Feature, Operator, OperatorSpec } from './define-operator.ts'
import type { FeatureValues } from './feature-columns.ts'
import { operatorOf, operators, windowsGiven, windowsOf } from './known-operators.ts'
import { windows } from './options.ts'

type FeaturesOf<S extends RecordSchema> = { readonly [name: string]: Feature<S['fields']> }
type Free<Taken> = { readonly [K in keyof Taken]?: never }

type Source<S extends RecordSchema> = {
  readonly name: string
  readonly of: S
  /** One running state per value of this field; without it, one for the whole stream. */
  readonly per?: keyof S['fields'] & string
  /** Computed by `backfill` only; no consumer runs it. */
  readonly batchOnly?: true
}

export type NamedFeature = { readonly name: string; readonly spec: OperatorSpec }

/** A version as plain data: what the row schema carries, and what the engine runs. */
export type Definition = {
  readonly set: string
  readonly version: number
  readonly record: RecordSchema
  readonly per: string | null
  readonly batchOnly: boolean
  readonly features: readonly NamedFeature[]
}

export type FeatureSet<S extends RecordSchema = RecordSchema, F = unknown> = {
  readonly definition: Definition
  /** Tells the order in which versions were made, which what a file exports does not keep. */
  readonly made: number
  /** The next version: these features too. A name already taken does not compile. */
  add<const M extends FeaturesOf<S>>(more: M & Free<F> & Free<S['fields']>): FeatureSet<S, F & M>
  /** The next version: the same names, computed differently. A name not yet there does not compile. */
  replace<const M extends { readonly [K in keyof F]?: Feature<S['fields']> }>(
    changed: M & { readonly [K in Exclude<keyof M, keyof F>]: never },
  ): FeatureSet<S, F>
}

/** What a version yields for one record: `{ ma50: number | null, … }`. */
export type FeatureRow<Set> = Set extends FeatureSet<RecordSchema, infer F> ? { readonly [K in keyof F]: ValueOf<F[K]> | null } : never
type ValueOf<F> = F extends Feature<never, infer Gives> ? FeatureValues[Gives] : never

export const featureSet = <S extends RecordSchema, const F extends FeaturesOf<S>>(
  source: Source<S>,
  features: F & Free<S['fields']>,
): FeatureSet<S, F> => {
  const { name, of, per = null, batchOnly = false } = source
  return versionOf<S, F>({ set: name, version: 0, record: of, per, batchOnly, features: named(features) })
}

let latest = 0

const versionOf = <S extends RecordSchema, F>(definition: Definition): FeatureSet<S, F> => {
  check(definition)
  const known = (name: string) => definition.features.some((feature) => feature.name === name)
  const next = <G>(features: readonly NamedFeature[]) => versionOf<S, G>({ ...definition, version: definition.version + 1, features })
  return {
    definition,
    made: ++latest,
    add(more) {
      const taken = Object.keys(more).find(known)
      if (taken)
        throw new Problem(
          `${label(definition)} already has a feature ${taken}`,
          'Use replace to compute it differently, or choose another name.',
        )
      return next([...definition.features, ...named(more as FeaturesOf<S>)])
    },
    replace(changed) {
      const unknown = Object.keys(changed).find((name) => !known(name))
      if (unknown) throw new Problem(`${label(definition)} has no feature ${unknown} to replace`, 'Use add for a new feature.')
      const specs = new Map(named(changed as FeaturesOf<S>).map(({ name, spec }) => [name, spec]))
      return next(definition.features.map(({ name, spec }) => ({ name, spec: specs.get(name) ?? spec })))
    },
  }
}

const named = (features: { readonly [name: string]: Feature }): NamedFeature[] =>
  Object.entries(features).map(([name, { spec }]) => ({ name, spec }))

export const label = ({ set, version }: { readonly set: string; readonly version: number }) => `${set}@${version}`

const namePattern = /^[a-z][a-z0-9_]{0,59}$/

/** What the compiler cannot see: names, ranges, and definitions that come from plain JavaScript or from a schema. */
export function check(definition: Definition): void {
  const { set, record, per, features } = definition
  const refuse = (what: string, todo: string): never => {
    throw new Problem(`feature set ${set}: ${what}`, todo)
  }
  if (!namePattern.test(set)) refuse('its name is not lower case letters, digits and _', 'Rename it, e.g. loan_risk.')
  if (/(_v\d+|_rows)$|^(tidemark|sqlite)_/.test(set))
    refuse('tables and views of other sets have names like that', 'Rename it, e.g. loan_risk.')
  if (per !== null && !Object.hasOwn(record.fields, per))
    refuse(`per: ${record.name} has no field ${per}`, `Its fields are ${Object.keys(record.fields).join(', ')}.`)
  if (features.length === 0) refuse('it has no feature', 'Give it at least one.')
  for (const { name, spec } of features) {
    if (!namePattern.test(name)) refuse(`feature ${name}: the name is not lower case letters, digits and _`, 'Rename it, e.g. ma50.')
    if (name === 'seq') refuse('a feature cannot be called seq: a record has its position under that name', 'Choose another name.')
    if (Object.hasOwn(record.fields, name)) refuse(`feature ${name}: ${record.name} has a field of that name`, 'Choose another name.')
    const field = Object.hasOwn(record.fields, spec.of) ? record.fields[spec.of] : undefined
    if (!field)
      return refuse(`feature ${name}: ${record.name} has no field ${spec.of}`, `Its fields are ${Object.keys(record.fields).join(', ')}.`)
    checkSpec(spec, field.kind, (what, todo) => refuse(`feature ${name}: ${what}`, todo))
  }
}

function checkSpec(spec: OperatorSpec, kind: Field['kind'], refuse: (what: string, todo: string) => never): void {
  const operator = operatorOf(spec)
  const wanted = operator.takes.kinds.join(' or ')
  const taken = ({ takes }: Operator) => takes.kinds.some((one) => one === kind)
  if (!taken(operator)) {
    const others = operators.filter(taken).map(({ op }) => op)
    refuse(`${spec.op} needs a ${wanted}, ${spec.of} is a ${kind}`, `Use a ${[`${wanted} field`, ...others].join(', or ')}.`)
  }
  const given = windowsGiven(operator, spec)
  const examples = windowsOf(operator).map((window) => `{ ${window}: ${windows[window].example} }`)
  if (given.length === 0) refuse('it has no window', `Give it one, e.g. ${examples.join(' or ')}.`)
  for (const window of given)
    if (!windows[window].accepts(spec[window])) refuse(`its window is ${JSON.stringify(spec[window])}`, windows[window].todo)
  for (const [param, { accepts, todo }] of Object.entries(operator.params)) {
    if (spec[param] !== undefined && !accepts(spec[param])) refuse(`${param} is ${JSON.stringify(spec[param])}`, todo)
  }
}
