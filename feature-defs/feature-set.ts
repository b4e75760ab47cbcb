/**
 * The language of feature definitions: a feature set is named, typed and versioned; a version is never edited, the next one is made from
 * it.
 */
import { isEvent } from '../schemas/event.ts'
import { isFact } from '../schemas/fact.ts'
import { whyNoNext } from '../schemas/next-fact.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'
import { checkSpec } from './check-spec.ts'
import type { Feature, OperatorSpec } from './define-operator.ts'
import type { FeatureKind, FeatureValues } from './feature-columns.ts'
import type { Gives } from './gives.ts'
import { keyFields, perOf, type Per } from './keys.ts'
import { featureType } from './known-operators.ts'
import { checkModel } from './models/check.ts'
import { isModel, type ModelFeature } from './models/model.ts'
import type { ModelsRead } from './models/reads.ts'

type FeaturesOf<S extends RecordSchema> = { readonly [name: string]: Feature<S['fields']> | ModelFeature }
type Free<Taken> = { readonly [K in keyof Taken]?: never }

type NameOf<S extends RecordSchema> = keyof S['fields'] & string

type Source<S extends RecordSchema> = {
  readonly name: string
  readonly of: S
  /** One running state per value of this field, or of these together; without it, one for the whole stream. */
  readonly per?: NameOf<S> | readonly NameOf<S>[]
  /** Computed by `backfill` only; no consumer runs it. */
  readonly batchOnly?: true
}

/** Of a model also where its file lies on this machine: no part of what it means. */
export type NamedFeature = { readonly name: string; readonly spec: OperatorSpec; readonly path?: string }

/** A version as plain data: what the row schema carries, and what the engine runs. */
export type Definition = {
  readonly set: string
  readonly version: number
  readonly record: RecordSchema
  readonly per: Per
  readonly batchOnly: boolean
  readonly features: readonly NamedFeature[]
}

export type FeatureSet<S extends RecordSchema = RecordSchema, F = unknown> = {
  readonly definition: Definition
  /** Tells the order in which versions were made, which what a file exports does not keep. */
  readonly made: number
  /** The next version: these features too. A name already taken does not compile. */
  add<const M extends FeaturesOf<S>>(more: M & Free<F> & Free<S['fields']> & ModelsRead<M, F & M, S['fields']>): FeatureSet<S, F & M>
  /** The next version: the same names, computed differently. A name not yet there does not compile. */
  replace<const M extends { readonly [K in keyof F]?: Feature<S['fields']> | ModelFeature }>(
    changed: M & { readonly [K in Exclude<keyof M, keyof F>]: never } & ModelsRead<M, Omit<F, keyof M> & M, S['fields']>,
  ): FeatureSet<S, F>
  /** The next version: the same features over the record as `record.add` has made it, or over a later version of the fact. */
  over<R extends RecordSchema>(record: R & { readonly fields: S['fields'] }): FeatureSet<R, F>
  /** For the compiler alone. */
  readonly of?: S
}

/** What a version yields for one record: `{ ma50: number | null, … }`. */
export type FeatureRow<Set> =
  Set extends FeatureSet<infer S, infer F> ? { readonly [K in keyof F]: ValueOf<F[K], S['fields']> | null } : never
type ValueOf<F, Fields extends RecordSchema['fields']> = F extends ModelFeature
  ? number
  : F extends Feature<never, infer Of, infer G>
    ? G extends Gives
      ? FeatureValues[KindOf<G[Fields[Of]['kind']]>]
      : never
    : never
type KindOf<Given> = Given extends { readonly kind: infer Kind extends FeatureKind } ? Kind : never

export const featureSet = <S extends RecordSchema, const F extends FeaturesOf<S>>(
  source: Source<S>,
  features: F & Free<S['fields']> & ModelsRead<F, F, S['fields']>,
): FeatureSet<S, F> => {
  const { name, of, per, batchOnly = false } = source
  return versionOf<S, F>({ set: name, version: 0, record: of, per: perOf(per), batchOnly, features: named(features) })
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
    over(record) {
      checkGrown(definition, record)
      return versionOf({ ...definition, version: definition.version + 1, record })
    },
  }
}

const named = (features: { readonly [name: string]: Feature }): NamedFeature[] =>
  Object.entries(features).map(([name, { spec }]) => ({ name, spec }))

/**
 * What the compiler cannot see of a record that a version goes over to: it is the one before, and may have more fields, which may be null.
 */
function checkGrown(definition: Definition, record: RecordSchema): void {
  const { record: before } = definition
  const refuse = (what: string): never => {
    throw new Problem(
      `${label(definition)} cannot go on over ${record.name}: ${what}`,
      `Make the record by ${before.name}.add({ … }), or give its features a set of their own.`,
    )
  }
  if (record.name !== before.name) refuse(`it is over ${before.name}, and a message of one is none of the other`)
  if (isFact(before) || isFact(record)) {
    const why = whyNoNext(before, record)
    if (why === undefined) return
    throw new Problem(
      `${label(definition)} cannot go on over ${record.name}: ${why}`,
      `Make the fact's next version by add({ … }) or replace({ … }), or give the features a set of their own over a fact of another name.`,
    )
  }
  if (isEvent(before) || isEvent(record)) {
    if (JSON.stringify(before) === JSON.stringify(record)) return
    throw new Problem(
      `${label(definition)} cannot go on over ${record.name}: it is made in another way`,
      'Make the other one a fact under another name, and give its features a set of their own.',
    )
  }
  if (record.at !== before.at) refuse(`its date is ${record.at}, and was ${before.at}`)
  for (const [name, field] of Object.entries(before.fields)) {
    if (JSON.stringify(record.fields[name]) !== JSON.stringify(field)) refuse(`field ${name} is not as it was`)
  }
  for (const [name, field] of Object.entries(record.fields)) {
    if (!Object.hasOwn(before.fields, name) && !field.nullable) refuse(`field ${name} is not nullable, and older records do not have it`)
  }
}

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
  const fields = `Its fields are ${Object.keys(record.fields).join(', ')}.`
  const keys = keyFields(per)
  const stranger = keys.find((name) => !Object.hasOwn(record.fields, name))
  if (stranger !== undefined) refuse(`per: ${record.name} has no field ${stranger}`, fields)
  if (per !== null && (keys.length === 0 || new Set(keys).size < keys.length))
    refuse(`per: ${JSON.stringify(per)} is no key`, "Name a field, or several different ones: per: ['FIELD', 'FIELD'].")
  if (isFact(record) && definition.batchOnly)
    refuse(`it is batch only, and the facts of ${record.name} are made of tables`, 'Leave batchOnly out: load fills it.')
  if (isEvent(record) && definition.batchOnly)
    refuse(`it is batch only, and ${record.name} is made as ${record.event.of.name} comes`, 'Leave batchOnly out: ingest fills it.')
  if (features.length === 0) refuse('it has no feature', 'Give it at least one.')
  for (const [i, { name, spec }] of features.entries()) {
    if (!namePattern.test(name)) refuse(`feature ${name}: the name is not lower case letters, digits and _`, 'Rename it, e.g. ma50.')
    if (name === 'seq') refuse('a feature cannot be called seq: a record has its position under that name', 'Choose another name.')
    if (Object.hasOwn(record.fields, name)) refuse(`feature ${name}: ${record.name} has a field of that name`, 'Choose another name.')
    const refuseIt = (what: string, todo: string) => refuse(`feature ${name}: ${what}`, todo)
    if (name === 'group_end' && isFact(record))
      refuseIt('a row over facts says under that name where a group of changes ends', 'Choose another name.')
    if (isModel(spec)) {
      const before = features.slice(0, i).map((one) => ({ name: one.name, kind: featureType(record, one).kind }))
      checkModel(spec, record, before, refuseIt)
      continue
    }
    checkSpec(spec, record, refuseIt)
  }
}
