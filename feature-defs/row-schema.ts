/** The schema of a version's rows in `outflow`, which carries the version's definition; and the definition read back from it. */
import { avroField, avroType, inflowSchema, recordOf } from '../schemas/avro/schema.ts'
import type { Attribute, AvroField, AvroSchema, AvroType } from '../schemas/avro/schema.ts'
import { isFact } from '../schemas/fact.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { statedFact } from '../schemas/stated.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { OperatorSpec } from './define-operator.ts'
import { mostBytesOf } from './feature-columns.ts'
import { check, label, type Definition } from './feature-set.ts'
import { featureFingerprint, versionFingerprint } from './fingerprint.ts'
import type { Per } from './keys.ts'
import { isModel, isSealed, modelOptions, type ModelSpec } from './models/model.ts'
import { featureType, operatorNamed, optionsOf, windowsGiven } from './known-operators.ts'

/**
 * The inflow fields first and as they are there, so that their bytes can be taken over; then what the engine adds. A fact's fields may all
 * be null, as a tick has only those of the key and the date.
 */
export function rowSchema(definition: Definition): AvroSchema {
  const { set, version, record, per, batchOnly } = definition
  const inflow = inflowSchema(record)
  const facts = isFact(record)
  const features = definition.features.map((feature): AvroField => {
    if (feature.name === 'seq')
      throw new Problem(`feature set ${set}: a feature is called seq, which holds the position`, 'Choose another name.')
    if (isModel(feature.spec) && !isSealed(feature.spec))
      throw new TypeError(`${label(definition)}: nothing says which file the model ${feature.name} is`)
    const tidemark = { ...feature.spec, fingerprint: featureFingerprint(definition, feature) }
    return { name: feature.name, type: ['null', avroType(featureType(record, feature))], default: null, tidemark }
  })
  return {
    type: 'record',
    name: set,
    fields: [
      ...(facts
        ? [inflow.fields[0]!, ...Object.entries(record.fields).map(([name, field]) => maybeNull(avroField(name, field)))]
        : inflow.fields),
      { name: '_modified_ts', type: 'long' },
      { name: '_version', type: 'int' },
      ...features,
      ...(facts ? ofChanges : []),
      // A registry may drop attributes before it compares: this field, always null, keeps versions with the same columns apart. A plain
      // null, which it was before, is a type that Kafka Connect cannot read.
      { name: `_v${version}`, type: ['null', 'int'], default: null },
    ],
    tidemark: {
      set,
      version,
      per,
      batchOnly,
      record: record.name,
      at: record.at,
      ...(facts && { fact: record.fact as unknown as Attribute }),
      ...(record.event && { event: record.event as unknown as Attribute }),
      fingerprint: versionFingerprint(definition),
    },
  }
}

/** What rows over facts have behind their features. */
const ofChanges: readonly AvroField[] = [
  { name: '_change', type: 'string' },
  { name: '_known_ts', type: 'long' },
  { name: 'group_end', type: 'boolean' },
]

/** A field that may be null, and says so where it may not be in the fact. */
const maybeNull = (field: AvroField): AvroField =>
  Array.isArray(field.type)
    ? field
    : { name: field.name, type: ['null', field.type], default: null, tidemark: { ...field.tidemark, nullable: false } }

/** The field as the fact has it. */
function asInFact({ name, type, ...about }: AvroField): AvroField {
  const { nullable, ...tidemark } = about.tidemark ?? {}
  return nullable === false ? { name, type: (type as readonly AvroType[])[1]!, tidemark } : { name, type, ...about }
}

/**
 * How many bytes a row has more than its record, at most: when it was computed, the version, its marker, and the features. Over facts also
 * a byte for each field, which may be null in rows; they have but one of what the fact was and is.
 */
export const mostAdded = ({ record, features }: Definition): number =>
  10 +
  5 +
  1 +
  (isFact(record) ? Object.keys(record.fields).length : 0) +
  features.reduce((sum, feature) => sum + mostBytesOf(featureType(record, feature)), 0)

/** undefined when it is no row schema of ours; a Problem when it is one that this program must not run. */
export function definitionOf(avro: unknown): Definition | undefined {
  if (!isRowSchema(avro)) return undefined
  const { set, version, per, batchOnly, record: recordName, at, fact, event, fingerprint } = avro.tidemark
  const split = avro.fields.findIndex(({ name }) => name === '_modified_ts')
  const fields = avro.fields.slice(0, split)
  const tidemark = { at, ...(event !== undefined && { event }) }
  const plain = recordOf({ type: 'record', name: recordName, fields: fact ? fields.map(asInFact) : fields, tidemark })
  const record: RecordSchema = fact ? statedFact(plain, fact) : plain
  const stated = avro.fields
    .slice(split + 2, fact ? -1 - ofChanges.length : -1)
    .map((field) => ({ name: field.name, ...specOf(avro.tidemark, field) }))
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
  readonly per: Per
  readonly batchOnly: boolean
  readonly record: string
  readonly at: string
  readonly fact?: Attribute
  readonly event?: Attribute
  readonly fingerprint: string
}

function isRowSchema(avro: unknown): avro is AvroSchema & { readonly tidemark: RowAttribute } {
  const { fields, tidemark } = (avro ?? {}) as Partial<AvroSchema>
  if (!Array.isArray(fields) || typeof tidemark !== 'object' || tidemark === null) return false
  const { set, version, per, batchOnly, record, at, fact, fingerprint } = tidemark
  return (
    [set, record, at, fingerprint].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(version) &&
    typeof batchOnly === 'boolean' &&
    (per === null || typeof per === 'string' || (Array.isArray(per) && per.every((name) => typeof name === 'string'))) &&
    fields.at(-1)?.name === `_v${Number(version)}` &&
    fields.some(({ name }) => name === '_modified_ts') &&
    (fact === undefined || ofChanges.every(({ name }, i) => fields[fields.length - 1 - ofChanges.length + i]?.name === name))
  )
}

type Stated = { readonly spec: OperatorSpec; readonly fingerprint: Attribute[string] }

function specOf(version: RowAttribute, { name, tidemark = {} }: AvroField): Stated {
  const { fingerprint = null, ...spec } = tidemark
  if (isModelStated(spec)) return { spec, fingerprint }
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

/** As a schema may state it: all that it says of it is known here. */
const isModelStated = (spec: Attribute): spec is ModelSpec => {
  const options: readonly string[] = modelOptions
  return (
    isModel(spec as OperatorSpec) &&
    isSealed(spec as ModelSpec) &&
    Object.keys(spec).every((name) => ['op', 'of', ...options].includes(name))
  )
}
