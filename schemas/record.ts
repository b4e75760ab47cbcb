/** Describes a record once: its TypeScript type, its Avro schema, its CSV header and its SQL columns are all read from it. */
import { Problem } from '../utilities/values/problem.ts'
import { assigned } from './expressions/assigned.ts'

type Named = {
  /** The column's name in the source. */
  readonly csv: string
  readonly nullable: boolean
  /** An expression over the fields that the source has, which makes this one when a record enters: its source need not have it. */
  readonly sql?: string
}
type NumberField = Named & { readonly kind: 'number' }
/** 64 bits. */
type IntegerField = Named & { readonly kind: 'integer' }
/** `digits` in all, `scale` of them behind the point. */
type DecimalField = Named & { readonly kind: 'decimal'; readonly digits: number; readonly scale: number }
type DateField = Named & { readonly kind: 'date' }
/** Microseconds, UTC. */
type TimestampField = Named & { readonly kind: 'timestamp' }
type FlagField = Named & { readonly kind: 'flag' }
type TextField = Named & {
  readonly kind: 'text'
  /** Most UTF-8 bytes in the warehouse. */
  readonly bytes: number
}
export type Field = NumberField | IntegerField | DecimalField | DateField | TimestampField | FlagField | TextField
type Unnamed<F extends Field> = F extends Field ? Omit<F, keyof Named> : never
/** What it holds, whatever it is called in a source and whether it may be null. */
export type FieldType = Unnamed<Field>
export type Fields = { readonly [name: string]: Field }

/** Rows by key, kept as their source has them now. */
export type Table<F extends Fields = Fields> = {
  readonly name: string
  /** The fields that tell its rows apart. */
  readonly key: readonly string[]
  readonly fields: F
}

/** A row of another table, by its whole key. */
export type Join = {
  readonly table: Table
  /** What its key must equal, one for each of its fields: a column of the row itself, or `joined.column` of a join before this one. */
  readonly on: readonly string[]
  /** Without a row that it refers to, its columns are null; otherwise there is no fact. */
  readonly optional: boolean
}

/** What a fact is made of, as plain data. */
export type FactOf = {
  /** Of the fact itself: each has a stream of its own. */
  readonly version: number
  /** There is a fact for each of its rows, and the row's key is the fact's. */
  readonly of: Table
  /** In the order in which they are looked up. */
  readonly join: { readonly [name: string]: Join }
}

/** What an event is made of, as plain data: what it refers to is looked up once, when it comes, and it is not changed afterwards. */
export type EventOf = {
  /** There is one for each of its records. */
  readonly of: RecordSchema
  /** In the order in which they are looked up. */
  readonly join: { readonly [name: string]: EventJoin }
}

export type EventJoin = Join & {
  /** For how long after it came an event waits for the row: then there is none, or its columns are null where the join is optional. */
  readonly waitMs: number
}

export type RecordSchema<F extends Fields = Fields> = {
  readonly name: string
  /** The field that says when the event happened. */
  readonly at: string
  readonly fields: F
  /** Of a fact: what it is made of. */
  readonly fact?: FactOf
  /** Of a record that is made of another one and of what that refers to. */
  readonly event?: EventOf
}

/** What one record has of a field where it is not null: dates read as YYYY-MM-DD, timestamps as ISO 8601, decimals as they are written. */
export type Values = {
  readonly number: number
  readonly integer: bigint
  readonly decimal: string
  readonly date: string
  readonly timestamp: string
  readonly flag: boolean
  readonly text: string
}
type ValueOf<F extends Field> = Values[F['kind']] | (F['nullable'] extends true ? null : never)

/** One record as a plain object. */
export type RecordOf<S extends RecordSchema> = { readonly [K in keyof S['fields']]: ValueOf<S['fields'][K]> }

/** `from` is the field's name in its source, when it is another; `sql` makes it from other fields. */
type Options<N extends boolean> = { readonly from?: string; readonly nullable?: N; readonly sql?: string }
type Of<Kind extends Field['kind'], N extends boolean> = Extract<Field, { kind: Kind }> & { readonly kind: Kind; readonly nullable: N }

/** The name in the source may stand alone: `number('Risk_Score')` is `number({ from: 'Risk_Score' })`. */
const fieldOf = <Kind extends Field['kind'], N extends boolean>(
  kind: Kind,
  from: string | (Options<N> & { readonly [more: string]: unknown }) = {},
  options: Options<N> & { readonly [more: string]: unknown } = {},
): Of<Kind, N> => {
  const { from: csv = '', nullable = true, ...more } = typeof from === 'string' ? { ...options, from } : from
  return { kind, csv, nullable, ...more } as unknown as Of<Kind, N>
}

export const number = <const N extends boolean = true>(from?: string | Options<N>, options?: Options<N>) => fieldOf('number', from, options)
export const integer = <const N extends boolean = true>(options?: Options<N>) => fieldOf('integer', options)
export const decimal = <const N extends boolean = true>(options: Options<N> & { readonly digits: number; readonly scale: number }) =>
  fieldOf('decimal', options)
export const date = <const N extends boolean = true>(from?: string | Options<N>, options?: Options<N>) => fieldOf('date', from, options)
export const timestamp = <const N extends boolean = true>(options?: Options<N>) => fieldOf('timestamp', options)
export const flag = <const N extends boolean = true>(options?: Options<N>) => fieldOf('flag', options)

type Bytes = { readonly bytes: number }
export function text<const N extends boolean = true>(options: Options<N> & Bytes): Of<'text', N>
export function text<const N extends boolean = true>(from: string, options: Options<N> & Bytes): Of<'text', N>
export function text<const N extends boolean = true>(from: string | (Options<N> & Bytes), options?: Options<N> & Bytes): Of<'text', N> {
  return fieldOf('text', from, options)
}

type Free<Taken> = { readonly [K in keyof Taken]?: never }

/** A record of the definitions: the next one is made from it. */
export type GrowingRecord<F extends Fields> = RecordSchema<F> & {
  /** The same record with more fields, which are null in what was written before. A name already taken does not compile. */
  add<const M extends { readonly [name: string]: Field & { readonly nullable: true } }>(more: M & Free<F>): GrowingRecord<F & M>
}

/** A field that names no other column of the source is the column of its own name. */
export const namedBySource = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([own, field]) => [own, field.csv === '' ? { ...field, csv: own } : field]))

export function record<const F extends Fields>(name: string, at: keyof F & string, fields: F): GrowingRecord<F> {
  const named = namedBySource(fields)
  for (const [own, { csv, sql }] of Object.entries(named)) {
    if (sql === undefined) continue
    const label = `${own} of ${name}`
    if (csv !== own) throw new Problem(`${label} has both from and sql`, 'Keep sql where it is made from other fields, or else from.')
    if (own === at) throw new Problem(`${label}, which says when it happened, has sql`, 'Name a field that the source has.')
    computed({ name, at, fields }, own)
  }
  const self: RecordSchema<F> = { name, at, fields: named as F }
  const add: GrowingRecord<F>['add'] = (more) => {
    const taken = Object.keys(more).find((one) => Object.hasOwn(fields, one))
    if (taken !== undefined) throw new Problem(`record ${name} already has a field ${taken}`, 'Choose another name.')
    const always = Object.entries(more).find(([, { nullable }]) => !nullable)
    if (always)
      throw new Problem(`field ${always[0]}, added to record ${name}, is not nullable`, 'Leave nullable out: older records do not have it.')
    return record(name, at, { ...fields, ...(more as object) } as F & typeof more)
  }
  // A record is plain data to all but its author.
  return Object.defineProperty(self, 'add', { value: add }) as GrowingRecord<F>
}

/** The record as its source has it, without the fields that are made from others. */
export const sourceRecord = ({ name, at, fields }: RecordSchema): RecordSchema => ({
  name,
  at,
  fields: Object.fromEntries(Object.entries(fields).filter(([, { sql }]) => sql === undefined)),
})

/** What makes the field of a batch that has the columns of the source. */
export function computed(record: RecordSchema, own: string): ReturnType<typeof assigned> {
  const field = record.fields[own]!
  return assigned(`${own} of ${record.name}`, field.sql!, new Map(Object.entries(sourceRecord(record).fields)), field)
}
