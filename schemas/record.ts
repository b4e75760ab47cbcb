/** Describes a record once: its TypeScript type, its Avro schema, its CSV header and its SQL columns are all read from it. */

type Named = {
  /** The column's name in the source. */
  readonly csv: string
  readonly nullable: boolean
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

export type RecordSchema<F extends Fields = Fields> = {
  readonly name: string
  /** The field that says when the event happened. */
  readonly at: string
  readonly fields: F
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

/** `from` is the field's name in its source, when it is another. */
type Options<N extends boolean> = { readonly from?: string; readonly nullable?: N }
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

/** A field that names no other column of the source is the column of its own name. */
export const record = <const F extends Fields>(name: string, at: keyof F & string, fields: F): RecordSchema<F> => ({
  name,
  at,
  fields: Object.fromEntries(Object.entries(fields).map(([own, field]) => [own, field.csv === '' ? { ...field, csv: own } : field])) as F,
})
