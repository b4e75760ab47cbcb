/** The fields of messages as columns hold them, those of nested records too. */
import { Problem } from '../../utilities/values/problem.ts'
import { plainType, type AvroField, type AvroSchema, type AvroType } from './schema.ts'

/** A field as columns hold it. The position is `seq` in messages and `_seq` in columns: a long that always fits a double. */
export type FieldPlace = {
  readonly name: string
  readonly column: string
  readonly kind: CellKind
  readonly nullable: boolean
  /**
   * The bytes of the longest text that comes in as a record. A row of ours, or of a table, was one already, and its texts are as they are.
   */
  readonly most: number
  /** The place of the nested record that it is a field of; both names begin with it. */
  readonly within?: string
  /** Of a decimal. */
  readonly digits: number
  readonly scale: number
}
/** A long is of our own making, an integer a field or a feature. Of a nested record it is whether it is there. */
type CellKind =
  | 'double'
  | 'int'
  | 'long'
  | 'seq'
  | 'integer'
  | 'decimal'
  | 'date'
  | 'timestamp'
  | 'flag'
  | 'string'
  | 'bytes'
  | 'record'
  | 'marker'
  | 'null'

const cellKinds: { readonly [plain: string]: CellKind } = {
  double: 'double',
  int: 'int',
  long: 'long',
  date: 'date',
  'timestamp-micros': 'timestamp',
  boolean: 'flag',
  string: 'string',
  bytes: 'bytes',
  null: 'null',
}

/** The days that YYYY-MM-DD can write: 0000-01-01 to 9999-12-31. */
export const firstDay = -719528
export const lastDay = 2932896

/** The field that tells versions with the same columns apart, and is always null: of no bytes in schemas of before. */
export const isMarker = ({ name }: { readonly name: string }): boolean => /^_v\d+$/.test(name)

/**
 * The fields in order; a Problem when columns cannot hold one of them. A record within, which may be null, is a place that says whether it
 * is there, and behind it those of its fields.
 */
export function cellsOf({ name: recordName, fields, tidemark = {} }: AvroSchema): readonly FieldPlace[] {
  const named = new Map<string, AvroSchema>()
  const placeOf = ({ name, type, tidemark: about }: AvroField, within?: string): FieldPlace | undefined => {
    const { name: plain = '', nullable = false, precision: digits = 0, scale = 0 } = plainType(type) ?? {}
    const bytes = about?.['bytes']
    const most = typeof bytes === 'number' && !('set' in tidemark) && !('key' in tidemark) ? bytes : Infinity
    const label = within === undefined ? name : `${within}.${name}`
    const place = { name: label, column: label, nullable, most, digits, scale, ...(within !== undefined && { within }) }
    if (name === 'seq' && within === undefined && plain === 'long' && !nullable) return { ...place, column: '_seq', kind: 'seq' }
    if (isMarker({ name })) return { ...place, kind: plain === 'null' ? 'null' : 'marker' }
    if (digits > 0) return { ...place, kind: 'decimal' }
    if (plain === 'long' && (nullable || about)) return { ...place, kind: 'integer' }
    const kind = cellKinds[plain]
    return kind && { ...place, kind }
  }
  const refuse = ({ name, type }: AvroField): never => {
    throw new Problem(
      `field ${name} of ${recordName} has the type ${JSON.stringify(type)}, which no column holds`,
      'Resolve its messages to a schema of a record first.',
    )
  }
  return fields.flatMap((field): readonly FieldPlace[] => {
    const nested = recordBehindNull(field.type, named)
    if (!nested) return [placeOf(field) ?? refuse(field)]
    const there: FieldPlace = { name: field.name, column: field.name, kind: 'record', nullable: true, most: Infinity, digits: 0, scale: 0 }
    return [there, ...nested.fields.map((inner) => placeOf(inner, field.name) ?? refuse(inner))]
  })
}

/** Of a union of null and a record, which may be named where it stands and be known by its name from then on. */
function recordBehindNull(type: AvroType, named: Map<string, AvroSchema>): AvroSchema | undefined {
  if (!Array.isArray(type) || type.length !== 2 || type[0] !== 'null') return undefined
  const inner = type[1] as AvroType
  if (typeof inner === 'string') return named.get(inner)
  if (!('fields' in inner)) return undefined
  named.set(inner.name, inner)
  return inner
}
