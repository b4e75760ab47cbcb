/** Avro schemas as plain data: the schema of a record's messages in `inflow`, and the record read back from it. */
import { Problem } from '../../utilities/values/problem.ts'
import type { Field, Fields, RecordSchema } from '../record.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
/** Our own attribute, which Avro readers pass over. */
export type Attribute = { readonly [key: string]: Json }

export type AvroType = string | readonly AvroType[] | AvroSchema | { readonly type: AvroType; readonly logicalType?: string }
export type AvroField = { readonly name: string; readonly type: AvroType; readonly default?: Json; readonly tidemark?: Attribute }
/** The schema of a record. */
export type AvroSchema = {
  readonly type: 'record'
  readonly name: string
  readonly namespace?: string
  readonly fields: readonly AvroField[]
  readonly tidemark?: Attribute
}

const avroTypes = { number: 'double', date: { type: 'int', logicalType: 'date' }, text: 'string' } as const

const namePattern = /^[A-Za-z][A-Za-z0-9_]*$/

/** Takes the records of every type, also those whose fields the compiler knows by name. */
export function inflowSchema(record: { readonly name: string; readonly at: string; readonly fields: Fields }): AvroSchema {
  const names = Object.keys(record.fields)
  const refuse = (what: string, todo: string): never => {
    throw new Problem(`record ${record.name}: ${what}`, todo)
  }
  const unfit = [record.name, ...names].find((name) => !namePattern.test(name))
  if (unfit !== undefined) refuse(`${unfit} is no name for Avro and SQL`, 'Use a letter, then letters, digits and _.')
  if (names.includes('seq')) refuse('a field is called seq, which holds the position', 'Choose another name.')
  if (record.fields[record.at]?.kind !== 'date')
    refuse(`${record.at}, which should say when it happened, is not a date field`, 'Name a date field.')
  return {
    type: 'record',
    name: record.name,
    fields: [{ name: 'seq', type: 'long' }, ...names.map((name) => avroField(name, record.fields[name]!))],
    tidemark: { at: record.at },
  }
}

function avroField(name: string, field: Field): AvroField {
  const type = avroTypes[field.kind]
  const tidemark = field.kind === 'text' ? { csv: field.csv, bytes: field.bytes } : { csv: field.csv }
  return field.nullable ? { name, type: ['null', type], default: null, tidemark } : { name, type, tidemark }
}

/** The record that `inflowSchema` gave this schema for. */
export function recordOf(avro: AvroType): RecordSchema {
  const refuse = (what: string): never => {
    throw new Problem(`the schema does not describe a record: ${what}`, 'Use a schema that inflowSchema made.')
  }
  if (typeof avro !== 'object' || !('fields' in avro)) return refuse('it is not an Avro record')
  const {
    name,
    fields: [seq, ...fields],
    tidemark,
  } = avro
  if (seq?.name !== 'seq' || seq.type !== 'long') refuse('its first field is not seq, a long')
  const at = tidemark?.at
  if (typeof at !== 'string') return refuse('it does not say which field is the event date')
  if (!fields.some((field) => field.name === at)) refuse(`it has no field ${at}`)
  return {
    name,
    at,
    fields: Object.fromEntries(fields.map((field) => [field.name, fieldOf(field) ?? refuse(`field ${field.name} is none of ours`)])),
  }
}

function fieldOf({ type, tidemark = {} }: AvroField): Field | undefined {
  const { csv, bytes } = tidemark
  const { name, nullable } = plainType(type) ?? {}
  if (nullable === undefined || typeof csv !== 'string') return undefined
  if (name === 'double') return { kind: 'number', csv, nullable }
  if (name === 'date') return { kind: 'date', csv, nullable }
  return name === 'string' && typeof bytes === 'number' ? { kind: 'text', csv, nullable, bytes } : undefined
}

/** A primitive type's name (date for the logical one), and whether it is in a union behind null; undefined for any other shape. */
export function plainType(type: AvroType): { readonly name: string; readonly nullable: boolean } | undefined {
  if (typeof type === 'string') return { name: type, nullable: false }
  if (Array.isArray(type)) {
    const inner = type.length === 2 && type[0] === 'null' ? plainType(type[1]) : undefined
    return inner && !inner.nullable ? { name: inner.name, nullable: true } : undefined
  }
  const { type: inner, logicalType } = type as { readonly type: AvroType; readonly logicalType?: string }
  if (typeof inner !== 'string' || !primitives.has(inner)) return undefined
  return { name: inner === 'int' && logicalType === 'date' ? 'date' : inner, nullable: false }
}

export const primitives: ReadonlySet<string> = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])

/** A field as columns hold it. The position is `seq` in messages and `_seq` in columns: a long that always fits a double. */
export type FieldPlace = {
  readonly name: string
  readonly column: string
  readonly kind: CellKind
  readonly nullable: boolean
  /** The bytes of the longest text that comes in as a record. A row of ours was one already, and its texts are as they are. */
  readonly most: number
}
type CellKind = 'double' | 'int' | 'long' | 'seq' | 'date' | 'string' | 'bytes' | 'null'

const cellKinds: ReadonlySet<string> = new Set(['double', 'int', 'long', 'date', 'string', 'bytes', 'null'] satisfies CellKind[])

/** The days that YYYY-MM-DD can write: 0000-01-01 to 9999-12-31. */
export const firstDay = -719528
export const lastDay = 2932896

/** The fields in order; a Problem when columns cannot hold one of them. */
export const cellsOf = ({ name: recordName, fields, tidemark = {} }: AvroSchema): readonly FieldPlace[] =>
  fields.map(({ name, type, tidemark: about }) => {
    const { name: kind = '', nullable = false } = plainType(type) ?? {}
    const bytes = about?.['bytes']
    const most = typeof bytes === 'number' && !('set' in tidemark) ? bytes : Infinity
    if (name === 'seq' && kind === 'long' && !nullable) return { name, column: '_seq', kind: 'seq', nullable, most }
    if (!cellKinds.has(kind) || (kind === 'long' && nullable)) {
      throw new Problem(
        `field ${name} of ${recordName} has the type ${JSON.stringify(type)}, which no column holds`,
        'Resolve its messages to a schema of a record first.',
      )
    }
    return { name, column: name, kind: kind as CellKind, nullable, most }
  })
