/** What features are, by the kind of their field: each operator has a table of these, which says also which kinds it takes. */
import type { Json } from '../schemas/avro/schema.ts'
import type { Field } from '../schemas/record.ts'
import type { FeatureKind, FeatureType } from './feature-columns.ts'
import type { FieldKind } from './takes.ts'

export type Given<Kind extends FeatureKind = FeatureKind> = {
  readonly kind: Kind
  /** Whether the definition can, must or cannot tell the decimals of the result. */
  readonly round: 'can' | 'must' | 'cannot'
  type(field: Field, options: Told): FeatureType
}
type Told = { readonly [option: string]: Json }
export type Gives = { readonly [kind in FieldKind]?: Given }

/** NUMERIC of SQL has no more. */
export const mostDigits = 38

export const aNumber: Given<'number'> = { kind: 'number', round: 'can', type: () => ({ kind: 'number' }) }
export const anInteger: Given<'integer'> = { kind: 'integer', round: 'cannot', type: () => ({ kind: 'integer' }) }
/** Of the field's scale, and of any size. */
export const aLongDecimal: Given<'decimal'> = {
  kind: 'decimal',
  round: 'cannot',
  type: (field) => ({ kind: 'decimal', digits: mostDigits, scale: scaleOf(field) }),
}
export const aRoundedDecimal: Given<'decimal'> = {
  kind: 'decimal',
  round: 'must',
  type: (_, { round }) => ({ kind: 'decimal', digits: mostDigits, scale: round as number }),
}
export const aText = (bytes: (options: Told) => number): Given<'text'> => ({
  kind: 'text',
  round: 'cannot',
  type: (_, options) => ({ kind: 'text', bytes: bytes(options) }),
})

/** What the field is. */
const itself = <Kind extends FieldKind>(kind: Kind): Given<Kind> => ({
  kind,
  round: 'cannot',
  type: ({ csv: _, nullable: __, sql: ___, ...type }) => type,
})

export const ordered = {
  number: aNumber,
  integer: itself('integer'),
  decimal: itself('decimal'),
  date: itself('date'),
  timestamp: itself('timestamp'),
} as const satisfies Gives

export const anyItself = { ...ordered, text: itself('text'), flag: itself('flag') } as const satisfies Gives

export const ofAny = <G extends Given>(given: G) => ({
  number: given,
  integer: given,
  decimal: given,
  date: given,
  timestamp: given,
  text: given,
  flag: given,
})

/** Digits behind the point of what the field's whole numbers count. */
export const scaleOf = (field: Field): number => (field.kind === 'decimal' ? field.scale : 0)
