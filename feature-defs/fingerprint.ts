/**
 * Fingerprints of what values depend on: two features with the same one give the same values, two versions with the same one are the same.
 */
import { createHash } from 'node:crypto'
import { isEvent } from '../schemas/event.ts'
import { isFact } from '../schemas/fact.ts'
import { meaningOf } from '../schemas/joined.ts'
import type { Definition, NamedFeature } from './feature-set.ts'
import { keyFields } from './keys.ts'
import { readsDate } from './known-operators.ts'
import { isModel, type ModelSpec } from './models/model.ts'

/** Of one feature's meaning: not of its name, its set, its version, or the place and order of its definition. */
export function featureFingerprint(definition: Pick<Definition, 'record' | 'per' | 'features'>, { spec }: NamedFeature): string {
  const { record, per } = definition
  if (isModel(spec)) return modelFingerprint(definition, spec)
  const at = readsDate(spec) ? { at: record.at } : {}
  const field = record.fields[spec.of]
  // States and values of decimals are whole numbers at their scale.
  const scale = field?.kind === 'decimal' ? { scale: field.scale } : {}
  const flag = typeof spec['when'] === 'string' ? record.fields[spec['when']] : undefined
  const meaning = { spec, kind: field?.kind, sql: field?.sql, whenSql: flag?.sql, per, ...at, ...scale }
  const read = [...new Set([spec.of, ...(typeof spec['when'] === 'string' ? [spec['when']] : []), ...keyFields(per), record.at])]
  if (isEvent(record)) return digest({ ...meaning, event: meaningOf(record, read) })
  if (!isFact(record)) return digest(meaning)
  // Facts are in the order of their date, and belong to their key as it is now.
  return digest({ ...meaning, at: record.at, fact: meaningOf(record, read) })
}

/**
 * Of which file, by which runtime, and of what is read: it is another meaning when one of these is. What the file is called is none of it.
 */
function modelFingerprint(definition: Pick<Definition, 'record' | 'per' | 'features'>, { of: _, inputs, ...spec }: ModelSpec): string {
  const { record, features } = definition
  const read = inputs.map((name) => {
    const feature = features.find((one) => one.name === name)
    const field = record.fields[name]
    if (feature) return { name, feature: featureFingerprint(definition, feature) }
    return { name, kind: field?.kind, sql: field?.sql, ...(field?.kind === 'decimal' && { scale: field.scale }) }
  })
  const fields = inputs.filter((name) => Object.hasOwn(record.fields, name))
  if (isEvent(record)) return digest({ spec, read, event: meaningOf(record, fields) })
  if (isFact(record)) return digest({ spec, read, fact: meaningOf(record, fields) })
  return digest({ spec, read })
}

/** Of a version: its name and number, what each feature name means, and the fields that travel with the features. */
export function versionFingerprint(definition: Definition): string {
  const { set, version, record, per, batchOnly } = definition
  const features = Object.fromEntries(definition.features.map((feature) => [feature.name, featureFingerprint(definition, feature)]))
  const fields = Object.entries(record.fields).map(([name, { kind, nullable, sql }]) => ({ name, kind, nullable, sql }))
  const plain = { set, version, features, fields, per, batchOnly }
  if (!isFact(record) && !isEvent(record)) return digest(plain)
  // What does not fit its field makes no fact.
  const sizes = Object.entries(record.fields).map(([name, field]) => ({ ...field, name }))
  const made = { at: record.at, ...meaningOf(record, Object.keys(record.fields)) }
  if (isEvent(record)) return digest({ ...plain, fields: sizes, event: made })
  return digest({ ...plain, fields: sizes, fact: { version: record.fact.version, ...made } })
}

/** Every released fingerprint rests on these two functions: they never change. */
const digest = (value: unknown) => createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16)

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`
}
