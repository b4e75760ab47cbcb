/** Whether a schema may follow those before it: Avro's rules of resolution, with the reasons in words. */
import type { Incompatibility } from '../../utilities/registry.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { plainType, primitives, type AvroField, type AvroSchema, type AvroType } from './schema.ts'
import { parseSchema, unresolvable } from './generic.ts'

/** As Glue names them: against the latest version, or with _ALL against every one. */
export type Compatibility = 'NONE' | 'BACKWARD' | 'BACKWARD_ALL' | 'FORWARD' | 'FORWARD_ALL' | 'FULL' | 'FULL_ALL'

/** `earlier` is oldest first, as a registry lists it. */
export const incompatibilities =
  (mode: Compatibility): Incompatibility =>
  (definition, earlier) => {
    const next = parsed(definition)
    if (typeof next === 'string') return [next]
    if (mode === 'NONE') return []
    const compared = mode.endsWith('_ALL') ? earlier : earlier.slice(-1)
    const reasons = compared.flatMap((text) => {
      const before = parsed(text)
      if (typeof before === 'string') return [`the version before cannot be compared: ${before}`]
      return [
        ...(mode.startsWith('FORWARD') ? [] : backward(next.schema, before.schema)),
        ...(mode.startsWith('BACKWARD') ? [] : forward(next.schema, before.schema)),
      ]
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

const backward = (next: AvroType, before: AvroType) =>
  misreadings(next, before).map((misreading) => {
    const what = inWords(misreading, { missing: 'was added without a default', from: 'writer', to: 'reader' })
    return `${what}: rows written before could not be read`
  })

const forward = (next: AvroType, before: AvroType) =>
  misreadings(before, next).map((misreading) => {
    const what = inWords(misreading, { missing: 'was removed and has no default', from: 'reader', to: 'writer' })
    return `${what}: readers of the version before could not read new rows`
  })

function inWords(
  misreading: Misreading,
  { missing, from, to }: { missing: string; from: 'reader' | 'writer'; to: 'reader' | 'writer' },
): string {
  switch (misreading.kind) {
    case 'type':
      return `${misreading.path} changed from ${typeInWords(misreading[from])} to ${typeInWords(misreading[to])}`
    case 'missing':
      return `${misreading.path} ${missing}`
    case 'other':
      return misreading.reason
  }
}

/** What keeps a reader from a writer's rows: two types that do not go together, a field it needs and does not get, or something else. */
type Misreading =
  | { readonly kind: 'type'; readonly path: string; readonly writer: AvroType; readonly reader: AvroType }
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'other'; readonly reason: string }

/**
 * avsc is the judge; what it stumbles over is told field by field as far as we have words for it. It does not look at logical types: the
 * bytes of a decimal could be read as one of another scale, and would mean something else.
 */
function misreadings(reader: AvroType, writer: AvroType): readonly Misreading[] {
  const reason = unresolvable(writer, reader)
  if (reason === undefined) return otherMeanings(reader, writer, '', recordsIn(reader, writer))
  const told = explain(reader, writer, '', recordsIn(reader, writer))
  return told.length > 0 ? told : [{ kind: 'other', reason }]
}

/**
 * The records of both sides by their names, which stand for them from their second place on; and those that were looked at: what is wrong
 * with a record is told where it first stands, and one may be within itself.
 */
type Records = {
  readonly reader: ReadonlyMap<string, AvroSchema>
  readonly writer: ReadonlyMap<string, AvroSchema>
  readonly seen: Set<string>
}

const recordsIn = (reader: AvroType, writer: AvroType): Records => ({ reader: named(reader), writer: named(writer), seen: new Set() })

function named(type: AvroType, known = new Map<string, AvroSchema>()): ReadonlyMap<string, AvroSchema> {
  if (isRecord(type)) {
    known.set(type.name, type)
    for (const field of type.fields) named(field.type, known)
  } else if (Array.isArray(type)) for (const branch of type as readonly AvroType[]) named(branch, known)
  return known
}

/** The record that it is, by itself or behind null. */
function recordOf(type: AvroType, known: ReadonlyMap<string, AvroSchema>): AvroSchema | undefined {
  if (typeof type === 'string') return known.get(type)
  if (isRecord(type)) return type
  const [none, inner] = branches(type)
  return Array.isArray(type) && type.length === 2 && none === 'null' ? recordOf(inner!, known) : undefined
}

/** Of two records, unless they were looked at before. */
function bothRecords(reader: AvroType, writer: AvroType, records: Records) {
  const [read, written] = [recordOf(reader, records.reader), recordOf(writer, records.writer)]
  if (!read || !written) return undefined
  const pair = `${fullName(read)} ${fullName(written)}`
  const isNew = !records.seen.has(pair)
  records.seen.add(pair)
  return { read, written, isNew }
}

function otherMeanings(reader: AvroType, writer: AvroType, path: string, records: Records): readonly Misreading[] {
  const both = bothRecords(reader, writer, records)
  if (both) {
    if (!both.isNew) return []
    return both.read.fields.flatMap((field) => {
      const written = writtenAs(field, both.written)
      return written ? otherMeanings(field.type, written.type, under(path, field.name), records) : []
    })
  }
  return meaningOf(reader) === meaningOf(writer) ? [] : [{ kind: 'type', path: `field ${path}`, writer, reader }]
}

/** Of what is not only as large as its primitive type. */
function meaningOf(type: AvroType): string {
  const { name = '', precision } = plainType(type) ?? {}
  return precision !== undefined || name === 'timestamp-micros' ? name : ''
}

function explain(reader: AvroType, writer: AvroType, path: string, records: Records): readonly Misreading[] {
  const both = bothRecords(reader, writer, records)
  const where = path ? `field ${path}` : 'the schema'
  if (both && Array.isArray(writer) && !Array.isArray(reader)) return [{ kind: 'type', path: where, writer, reader }]
  if (both) return both.isNew ? explainRecord(both.read, both.written, path, records) : []
  // Other types made of types are left to avsc's own words.
  if (![reader, writer].every((type) => isPlain(type) || isRecord(type)) || takes(reader, writer)) return []
  return [{ kind: 'type', path: where, writer, reader }]
}

function explainRecord(reader: AvroSchema, writer: AvroSchema, path: string, records: Records): readonly Misreading[] {
  const [readerName, writerName] = [fullName(reader), fullName(writer)]
  if (readerName !== writerName) {
    const where = path ? ` in field ${path}` : ''
    return [{ kind: 'other', reason: `the record${where} is called ${readerName} in one schema and ${writerName} in the other` }]
  }
  return reader.fields.flatMap((field): readonly Misreading[] => {
    const name = under(path, field.name)
    const written = writtenAs(field, writer)
    if (written) return explain(field.type, written.type, name, records)
    return field.default === undefined ? [{ kind: 'missing', path: `field ${name}` }] : []
  })
}

const under = (path: string, name: string) => (path ? `${path}.${name}` : name)

const writtenAs = (field: AvroField, writer: AvroSchema) => writer.fields.find((one) => namesOf(field).includes(one.name))

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
const takes = (reader: AvroType, writer: AvroType) =>
  branches(writer).every((written) =>
    branches(reader).some((read) => bare(read) === bare(written) || (promotions[bare(written)] ?? []).includes(bare(read))),
  )

function typeInWords(type: AvroType): string {
  if (isRecord(type)) return `a record ${fullName(type)}`
  const plain = plainType(type)
  if (plain) return plain.nullable ? `nullable ${plain.name}` : plain.name
  return Array.isArray(type) ? `a union of ${type.map((branch) => typeInWords(branch)).join(' and ')}` : JSON.stringify(type)
}
