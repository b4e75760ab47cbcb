/** Describes a record once: its TypeScript type, its Avro schema, its CSV header and its SQL columns are all read from it. */

type NumberField = { readonly kind: 'number'; readonly csv: string; readonly nullable: boolean }
type DateField = { readonly kind: 'date'; readonly csv: string; readonly nullable: boolean }
type TextField = {
  readonly kind: 'text'
  readonly csv: string
  readonly nullable: boolean
  /** Most UTF-8 bytes in the warehouse. */
  readonly bytes: number
}
export type Field = NumberField | DateField | TextField
export type Fields = { readonly [name: string]: Field }

export type RecordSchema<F extends Fields = Fields> = {
  readonly name: string
  /** The field that says when the event happened. */
  readonly at: string
  readonly fields: F
}

type ValueOf<F extends Field> = (F['kind'] extends 'number' ? number : string) | (F['nullable'] extends true ? null : never)

/** One record as a plain object; dates read as YYYY-MM-DD. */
export type RecordOf<S extends RecordSchema> = { readonly [K in keyof S['fields']]: ValueOf<S['fields'][K]> }

export const number = <const N extends boolean = true>(csv: string, { nullable = true as N }: { nullable?: N } = {}) =>
  ({ kind: 'number', csv, nullable }) as { readonly kind: 'number'; readonly csv: string; readonly nullable: N }

export const date = <const N extends boolean = true>(csv: string, { nullable = true as N }: { nullable?: N } = {}) =>
  ({ kind: 'date', csv, nullable }) as { readonly kind: 'date'; readonly csv: string; readonly nullable: N }

export const text = <const N extends boolean = true>(csv: string, { bytes, nullable = true as N }: { bytes: number; nullable?: N }) =>
  ({ kind: 'text', csv, nullable, bytes }) as { readonly kind: 'text'; readonly csv: string; readonly nullable: N; readonly bytes: number }

export const record = <const F extends Fields>(name: string, at: keyof F & string, fields: F): RecordSchema<F> => ({ name, at, fields })
