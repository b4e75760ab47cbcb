/** Avro schemas as plain data: the schema of a record's messages in `inflow`, and the record read back from it. */
import { Problem } from '../../utilities/values/problem.ts'
import type { EventOf, FactOf, Field, Fields, RecordSchema } from '../record.ts'
import { statedEvent, statedFact } from '../stated.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
/** Our own attribute, which Avro readers pass over. */
export type Attribute = { readonly [key: string]: Json }

export type AvroType = string | readonly AvroType[] | AvroSchema | Annotated
type Annotated = { readonly type: AvroType; readonly logicalType?: string; readonly precision?: number; readonly scale?: number }
export type AvroField = { readonly name: string; readonly type: AvroType; readonly default?: Json; readonly tidemark?: Attribute }
/** The schema of a record. */
export type AvroSchema = {
  readonly type: 'record'
  readonly name: string
  readonly namespace?: string
  readonly fields: readonly AvroField[]
  readonly tidemark?: Attribute
}

const avroTypes = {
  number: 'double',
  integer: 'long',
  date: { type: 'int', logicalType: 'date' },
  timestamp: { type: 'long', logicalType: 'timestamp-micros' },
  flag: 'boolean',
  text: 'string',
} as const

/** What a value of a field, or of a feature of that kind, is in a message. */
type Typed = { readonly kind: keyof typeof avroTypes } | { readonly kind: 'decimal'; readonly digits: number; readonly scale: number }
export const avroType = (typed: Typed): AvroType =>
  typed.kind === 'decimal' ? { type: 'bytes', logicalType: 'decimal', precision: typed.digits, scale: typed.scale } : avroTypes[typed.kind]

const namePattern = /^[A-Za-z][A-Za-z0-9_]*$/

/** Takes the records of every type, also those whose fields the compiler knows by name. */
export function inflowSchema(record: {
  readonly name: string
  readonly at: string
  readonly fields: Fields
  readonly fact?: FactOf
  readonly event?: EventOf
}): AvroSchema {
  const names = Object.keys(record.fields)
  const refuse = (what: string, todo: string): never => {
    throw new Problem(`record ${record.name}: ${what}`, todo)
  }
  const unfit = [record.name, ...names].find((name) => !namePattern.test(name))
  if (unfit !== undefined) refuse(`${unfit} is no name for Avro and SQL`, 'Use a letter, then letters, digits and _.')
  if (names.includes('seq')) refuse('a field is called seq, which holds the position', 'Choose another name.')
  const at = record.fields[record.at]
  if (at?.kind !== 'date' && at?.kind !== 'timestamp')
    refuse(`${record.at}, which should say when it happened, is not a date or timestamp field`, 'Name a date or timestamp field.')
  const fields = names.map((name) => avroField(name, record.fields[name]!))
  if (record.fact) return factSchema(record.name, record.at, record.fact, fields)
  const tidemark = { at: record.at, ...(record.event && { event: record.event as unknown as Attribute }) }
  return { type: 'record', name: record.name, fields: [{ name: 'seq', type: 'long' }, ...fields], tidemark }
}

/** A change of a fact: what it was and what it is, either of which may be null; or a tick, which says that a date has come. */
function factSchema(name: string, at: string, fact: FactOf, fields: readonly AvroField[]): AvroSchema {
  const values = `${name}_values`
  const { type } = fields.find((field) => field.name === at)!
  return {
    type: 'record',
    name,
    fields: [
      { name: 'seq', type: 'long' },
      // When it became known, in nanoseconds.
      { name: 'known', type: 'long' },
      // added, changed, removed or tick.
      { name: 'change', type: 'string' },
      { name: 'key', type: ['null', 'string'], default: null },
      { name: 'before', type: ['null', { type: 'record', name: values, fields }], default: null },
      { name: 'after', type: ['null', values], default: null },
      // No batch ends before it.
      { name: 'group_end', type: 'boolean' },
      { name: 'tick', type: ['null', type], default: null },
    ],
    tidemark: { at, fact: fact as unknown as Attribute },
  }
}

export function avroField(name: string, field: Field): AvroField {
  const type = avroType(field)
  const { csv, sql } = field
  const tidemark = { csv, ...(field.kind === 'text' && { bytes: field.bytes }), ...(sql !== undefined && { sql }) }
  return field.nullable ? { name, type: ['null', type], default: null, tidemark } : { name, type, tidemark }
}

/** The record, the fact or the event that `inflowSchema` gave this schema for. */
export function recordOf(avro: AvroType): RecordSchema {
  const refuse = (what: string): never => {
    throw new Problem(`the schema does not describe a record: ${what}`, 'Use a schema that inflowSchema made.')
  }
  if (typeof avro !== 'object' || !('fields' in avro)) return refuse('it is not an Avro record')
  const { name, tidemark } = avro
  const stated = tidemark?.['fact']
  const [seq, ...others] = avro.fields
  const fields = stated === undefined ? others : factFieldsIn(avro)
  if (!fields) return refuse('it does not say what a fact was')
  if (seq?.name !== 'seq' || seq.type !== 'long') refuse('its first field is not seq, a long')
  const at = tidemark?.at
  if (typeof at !== 'string') return refuse('it does not say which field is the event date')
  if (!fields.some((field) => field.name === at)) refuse(`it has no field ${at}`)
  const record = {
    name,
    at,
    fields: Object.fromEntries(fields.map((field) => [field.name, fieldOf(field) ?? refuse(`field ${field.name} is none of ours`)])),
  }
  if (tidemark?.['event'] !== undefined) return statedEvent(record, tidemark['event'])
  return stated === undefined ? record : statedFact(record, stated)
}

/** Those of the record within that says what the fact was. */
function factFieldsIn({ name, fields }: AvroSchema): readonly AvroField[] | undefined {
  const before = fields.find((field) => field.name === 'before')?.type
  const values = Array.isArray(before) ? (before[1] as AvroType | undefined) : undefined
  return typeof values === 'object' && 'fields' in values && values.name === `${name}_values` ? values.fields : undefined
}

function fieldOf({ type, tidemark = {} }: AvroField): Field | undefined {
  const { csv, bytes, sql } = tidemark
  const { name, nullable, precision, scale } = plainType(type) ?? {}
  if (nullable === undefined || typeof csv !== 'string') return undefined
  const named = { csv, nullable, ...(typeof sql === 'string' && { sql }) }
  if (precision !== undefined && scale !== undefined) return { kind: 'decimal', ...named, digits: precision, scale }
  if (name === 'string') return typeof bytes === 'number' ? { kind: 'text', ...named, bytes } : undefined
  const kind = name === undefined ? undefined : fieldKinds[name]
  return kind && { kind, ...named }
}

const fieldKinds: { readonly [plain: string]: 'number' | 'integer' | 'date' | 'timestamp' | 'flag' } = {
  double: 'number',
  long: 'integer',
  date: 'date',
  'timestamp-micros': 'timestamp',
  boolean: 'flag',
}

/** A primitive type or a logical one of ours by its name, and whether it is in a union behind null. */
type Plain = { readonly name: string; readonly nullable: boolean; readonly precision?: number; readonly scale?: number }

/** undefined for any other shape. */
export function plainType(type: AvroType): Plain | undefined {
  if (typeof type === 'string') return { name: type, nullable: false }
  if (Array.isArray(type)) {
    const inner = type.length === 2 && type[0] === 'null' ? plainType(type[1]) : undefined
    return inner && !inner.nullable ? { ...inner, nullable: true } : undefined
  }
  const { type: inner, logicalType, precision, scale = 0 } = type as Annotated
  if (typeof inner !== 'string' || !primitives.has(inner)) return undefined
  if (inner === 'bytes' && logicalType === 'decimal' && precision !== undefined)
    return { name: `decimal(${precision}, ${scale})`, nullable: false, precision, scale }
  return { name: logicalType !== undefined && logicalTypes[logicalType] === inner ? logicalType : inner, nullable: false }
}

const logicalTypes: { readonly [logical: string]: string } = { date: 'int', 'timestamp-micros': 'long' }

export const primitives: ReadonlySet<string> = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
