/** The schema of a version's rows in `outflow`, which carries the version's definition; and the definition read back from it. */
import { avroType, inflowSchema, recordOf, type Attribute, type AvroField, type AvroSchema } from '../schemas/avro/schema.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { OperatorSpec } from './define-operator.ts'
import { featureKinds } from './feature-columns.ts'
import { check, label, type Definition, type NamedFeature } from './feature-set.ts'
import { featureFingerprint, versionFingerprint } from './fingerprint.ts'
import { operatorNamed, operatorOf, optionsOf, windowsGiven } from './known-operators.ts'

/** The inflow fields first and as they are there, so that their bytes can be taken over; then what the engine adds. */
export function rowSchema(definition: Definition): AvroSchema {
  const { set, version, record, per, batchOnly } = definition
  const inflow = inflowSchema(record)
  const features = definition.features.map((feature): AvroField => {
    if (feature.name === 'seq')
      throw new Problem(`feature set ${set}: a feature is called seq, which holds the position`, 'Choose another name.')
    const tidemark = { ...feature.spec, fingerprint: featureFingerprint(definition, feature) }
    return { name: feature.name, type: ['null', avroType({ kind: operatorOf(feature.spec).gives })], default: null, tidemark }
  })
  return {
    type: 'record',
    name: set,
    fields: [
      ...inflow.fields,
      { name: '_modified_ts', type: 'long' },
      { name: '_version', type: 'int' },
      ...features,
      // A registry may drop attributes before it compares: this field, always null, keeps versions with the same columns apart. A plain
      // null, which it was before, is a type that Kafka Connect cannot read.
      { name: `_v${version}`, type: ['null', 'int'], default: null },
    ],
    tidemark: { set, version, per, batchOnly, record: record.name, at: record.at, fingerprint: versionFingerprint(definition) },
  }
}

const kindOf = ({ spec }: NamedFeature) => featureKinds[operatorOf(spec).gives]

/** How many bytes a row has more than its record, at most: when it was computed, the version, its marker, and the features. */
export const mostAdded = ({ features }: Definition): number =>
  10 + 5 + 1 + features.reduce((sum, feature) => sum + kindOf(feature).mostBytes, 0)

/** undefined when it is no row schema of ours; a Problem when it is one that this program must not run. */
export function definitionOf(avro: unknown): Definition | undefined {
  if (!isRowSchema(avro)) return undefined
  const { set, version, per, batchOnly, record: recordName, at, fingerprint } = avro.tidemark
  const split = avro.fields.findIndex(({ name }) => name === '_modified_ts')
  const fields = avro.fields.slice(0, split)
  const record: RecordSchema = recordOf({ type: 'record', name: recordName, fields, tidemark: { at } })
  const stated = avro.fields.slice(split + 2, -1).map((field) => ({ name: field.name, ...specOf(avro.tidemark, field) }))
  const definition: Definition = { set, version, record, per, batchOnly, features: stated.map(({ name, spec }) => ({ name, spec })) }
  check(definition)

  const altered = stated.find((feature) => featureFingerprint(definition, feature) !== feature.fingerprint)
  if (altered || versionFingerprint(definition) !== fingerprint) {
    throw new Problem(
      `${label(definition)}: ${altered ? `feature ${altered.name}` : 'its definition'} does not match its fingerprint`,
      'A released version is immutable: put its schema back as it was, and make the change in the next version.',
    )
  }
  return definition
}

type RowAttribute = {
  readonly set: string
  readonly version: number
  readonly per: string | null
  readonly batchOnly: boolean
  readonly record: string
  readonly at: string
  readonly fingerprint: string
}

function isRowSchema(avro: unknown): avro is AvroSchema & { readonly tidemark: RowAttribute } {
  const { fields, tidemark } = (avro ?? {}) as Partial<AvroSchema>
  if (!Array.isArray(fields) || typeof tidemark !== 'object' || tidemark === null) return false
  const { set, version, per, batchOnly, record, at, fingerprint } = tidemark
  return (
    [set, record, at, fingerprint].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(version) &&
    typeof batchOnly === 'boolean' &&
    (per === null || typeof per === 'string') &&
    fields.at(-1)?.name === `_v${Number(version)}` &&
    fields.some(({ name }) => name === '_modified_ts')
  )
}

type Stated = { readonly spec: OperatorSpec; readonly fingerprint: Attribute[string] }

function specOf(version: RowAttribute, { name, tidemark = {} }: AvroField): Stated {
  const { fingerprint = null, ...spec } = tidemark
  const { op, of, ...options } = spec
  // Ours is the only language that may write these attributes: anything more than we know is a meaning we do not know.
  const operator = operatorNamed(op)
  const unknown = operator
    ? Object.keys(options).filter((option) => !optionsOf(operator).includes(option))
    : [`op ${typeof op === 'string' ? op : JSON.stringify(op)}`]
  if (!operator || unknown.length > 0 || typeof of !== 'string' || windowsGiven(operator, spec as OperatorSpec).length !== 1) {
    const what = unknown.length > 0 ? ` (${unknown.join(', ')})` : ''
    throw new Problem(
      `${label(version)}: feature ${name} is defined in a way this program does not know${what}`,
      'Use the version of Tidemark that released it, or a later one.',
    )
  }
  return { spec: spec as OperatorSpec, fingerprint }
}
