/** Whether a schema may follow those before it: Avro's rules of resolution, with the reasons in words. */
import type { Incompatibility } from '../utilities/registry/registry.ts'
import { Problem } from '../utilities/problem.ts'
import { plainType, primitives, type AvroField, type AvroSchema, type AvroType } from './avro.ts'
import { parseSchema, unresolvable } from './generic.ts'

/** As Glue names them: against the latest version, or with _ALL against every one. */
export type Mode = 'NONE' | 'BACKWARD' | 'BACKWARD_ALL' | 'FORWARD' | 'FORWARD_ALL' | 'FULL' | 'FULL_ALL'

/** `earlier` is oldest first, as a registry lists it. */
export const incompatibilities = (mode: Mode): Incompatibility => (definition, earlier) => {
  const next = parsed(definition)
  if (typeof next === 'string') return [next]
  if (mode === 'NONE') return []
  const compared = mode.endsWith('_ALL') ? earlier : earlier.slice(-1)
  const reasons = compared.flatMap((text) => {
    const before = parsed(text)
    if (typeof before === 'string') return [`the version before cannot be compared: ${before}`]
    return [...(mode.startsWith('FORWARD') ? [] : backward(next.schema, before.schema)), ...(mode.startsWith('BACKWARD') ? [] : forward(next.schema, before.schema))]
  })
  return [...new Set(reasons)]
}

function parsed(text: string): { readonly schema: AvroType } | string {
  try {
    return { schema: parseSchema(text) }
  } catch (error) {
    if (error instanceof Problem) return error.what
    throw error
  }
}

const backward = (next: AvroType, before: AvroType) => misreadings(next, before).map((misreading) => {
  const what = misreading.kind === 'type' ? changed(misreading.path, misreading.writer, misreading.reader) : misreading.kind === 'missing' ? `${misreading.path} was added without a default` : misreading.reason
  return `${what}: rows written before could not be read`
})

const forward = (next: AvroType, before: AvroType) => misreadings(before, next).map((misreading) => {
  const what = misreading.kind === 'type' ? changed(misreading.path, misreading.reader, misreading.writer) : misreading.kind === 'missing' ? `${misreading.path} was removed and has no default` : misreading.reason
  return `${what}: readers of the version before could not read new rows`
})

const changed = (path: string, from: AvroType, to: AvroType) => `${path} changed from ${inWords(from)} to ${inWords(to)}`

/** What keeps a reader from a writer's rows: two types that do not go together, a field it needs and does not get, or something else. */
type Misreading =
  | { readonly kind: 'type'; readonly path: string; readonly writer: AvroType; readonly reader: AvroType }
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'other'; readonly reason: string }

/** avsc is the judge; what it stumbles over is told field by field as far as we have words for it. */
function misreadings(reader: AvroType, writer: AvroType): readonly Misreading[] {
  const reason = unresolvable(writer, reader)
  if (reason === undefined) return []
  const told = explain(reader, writer, '')
  return told.length > 0 ? told : [{ kind: 'other', reason }]
}

function explain(reader: AvroType, writer: AvroType, path: string): readonly Misreading[] {
  if (isRecord(reader) && isRecord(writer)) return explainRecord(reader, writer, path)
  // Types made of others, and references to them by name, are left to avsc's own words.
  if (!isPlain(reader) || !isPlain(writer) || takes(reader, writer)) return []
  return [{ kind: 'type', path: path ? `field ${path}` : 'the schema', writer, reader }]
}

function explainRecord(reader: AvroSchema, writer: AvroSchema, path: string): readonly Misreading[] {
  const [readerName, writerName] = [fullName(reader), fullName(writer)]
  if (readerName !== writerName) return [{ kind: 'other', reason: `the record${path ? ` in field ${path}` : ''} is called ${readerName} in one schema and ${writerName} in the other` }]
  return reader.fields.flatMap((field): readonly Misreading[] => {
    const name = path ? `${path}.${field.name}` : field.name
    const written = writer.fields.find((one) => namesOf(field).includes(one.name))
    if (written) return explain(field.type, written.type, name)
    return field.default === undefined ? [{ kind: 'missing', path: `field ${name}` }] : []
  })
}

const fullName = ({ name, namespace }: AvroSchema) => (namespace && !name.includes('.') ? `${namespace}.${name}` : name)
const namesOf = ({ name, aliases = [] }: AvroField & { readonly aliases?: readonly string[] }) => [name, ...aliases]

const isRecord = (type: AvroType): type is AvroSchema => typeof type === 'object' && 'fields' in type && type.type === 'record'

/** A primitive type, or a union of primitives. */
const isPlain = (type: AvroType): boolean => branches(type).every((branch) => primitives.has(bare(branch)))

const branches = (type: AvroType): readonly AvroType[] => (Array.isArray(type) ? (type as readonly AvroType[]) : [type])

/** The primitive behind a type that may have attributes, such as a logical type, which no reader heeds here. */
function bare(type: AvroType): string {
  if (typeof type === 'string') return type
  const { type: inner } = type as { readonly type?: AvroType }
  return typeof inner === 'string' ? inner : ''
}

const promotions: { readonly [writer: string]: readonly string[] } = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

/** Whether every branch that may be written can be read as some branch. */
const takes = (reader: AvroType, writer: AvroType) => branches(writer).every((written) =>
  branches(reader).some((read) => bare(read) === bare(written) || (promotions[bare(written)] ?? []).includes(bare(read))))

function inWords(type: AvroType): string {
  const plain = plainType(type)
  if (plain) return plain.nullable ? `nullable ${plain.name}` : plain.name
  return Array.isArray(type) ? `a union of ${type.map((branch) => inWords(branch)).join(' and ')}` : JSON.stringify(type)
}
