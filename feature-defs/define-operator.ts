/**
 * What an operator is. It turns a series of inputs into one value per input, and its description is all there is to it: the language's word
 * and its typing, what a schema says of a feature and what is refused there, fingerprints, the engine and the laws of the tests follow.
 */
import type { Attribute, Json } from '../schemas/avro/schema.ts'
import type { Field } from '../schemas/record.ts'
import type { Output } from './feature-columns.ts'
import type { Fraction } from './fractions.ts'
import type { Gives } from './gives.ts'
import type { Moment, Option, ValueOf, WindowName, windows } from './options.ts'
import type { Standing, Unit } from './facts/standing.ts'
import type { Held, Writer } from './state-bytes.ts'
import type { FieldColumn, FieldKind } from './takes.ts'
import type { Value } from './values.ts'
import type { Places, Times } from './windows/reach.ts'

/** What a definition says of one feature, as plain data: all that its values depend on. */
export type OperatorSpec = { readonly op: string; readonly of: string; readonly [option: string]: Json }

/**
 * An operator with its options, of one field. The state belongs to one key and is moved forward by `run` alone, a stretch of a column at a
 * time: no clock, no I/O. One row is a stretch of one, so batch, stream and per-key state all go through the same lines.
 */
export interface Computation<State, Input = unknown> {
  init(): State
  /** Where each record of a batch stands in time, if that matters. */
  readonly places?: (times: Times) => Places
  /** Takes rows from..to (to excluded) of the input and writes out[i], the feature's value once row i has been seen. Changes the state. */
  run(state: State, input: Input, places: Places, out: Output, from: number, to: number): void
  /** The feature's value as it stands: of those in whose window every record takes a place, which one that is left out must not. */
  now?(state: State): Value
  /** The state as bytes, and back: what is loaded goes on exactly as what was put would have. */
  put(to: Writer, state: State): void
  load(saved: Uint8Array): State
  /** The most bytes that a saved state can take, which hold so much. */
  mostBytes(held: Held): number
  /** The same of facts that stand, whose dates are counted so; none where the order of arrival is the meaning. */
  readonly standing?: (unit: Unit) => Standing
}

export type Params = { readonly [name: string]: Option<Json> }
type Needed<P extends Params> = { [Name in keyof P]: P[Name] extends { readonly needed: Json } ? Name : never }[keyof P]
type ParamsGiven<P extends Params> = { readonly [Name in Exclude<keyof P, Needed<P>>]?: ValueOf<P[Name]> } & {
  readonly [Name in Needed<P>]: ValueOf<P[Name]>
}
type SizeOf<W extends WindowName> = ValueOf<(typeof windows)[W]>
/** One of the windows, and any of the parameters. */
export type Options<W extends WindowName, P extends Params> = { [Name in W]: { readonly [name in Name]: SizeOf<Name> } }[W] & ParamsGiven<P>

/** What a field holds, as the plain meaning of an operator sees it: a date is its day, a timestamp its microsecond. */
type PlainValues = {
  readonly number: number
  readonly integer: bigint
  readonly decimal: Fraction
  readonly date: number
  readonly timestamp: bigint
  readonly text: string
  readonly flag: boolean
}
export type PlainValue = PlainValues[FieldKind]

/** When the values of a window came, one for each, and the record whose window it is. */
type Came = { readonly at: readonly Moment[]; readonly now: Moment }

type Description<Kind extends FieldKind, G extends Gives, Input, P extends Params, W extends WindowName> = {
  readonly op: string
  /** By the kind of the field: which it takes, and what it gives for each. */
  readonly gives: G & { readonly [kind in Kind]: unknown }
  /** Once for every batch. */
  readonly reads: (column: FieldColumn) => Input
  readonly params: P
  /** Of one that needs the order in which records came, which facts do not have: what to use over them instead. */
  readonly overFacts?: string
  /** Those that it can look through, each with what computes it. */
  readonly windows: { readonly [Name in W]: (size: SizeOf<Name>, params: ParamsGiven<P>, field: Field) => Computation<unknown, Input> }
  /** The plain meaning, which the rest must equal: what it yields, before rounding, for the values of a window that are not null. */
  exact(values: readonly PlainValues[Kind][], options: Options<W, P>, came: Came, field: Field): PlainValue | null
}

/** An operator as whatever is derived from it sees it. */
export type Operator = {
  readonly op: string
  readonly gives: Gives
  readonly reads: (column: FieldColumn) => unknown
  readonly params: Params
  readonly overFacts?: string
  readonly windows: { readonly [Name in WindowName]?: (size: never, params: never, field: Field) => Computation<unknown> }
  exact(values: readonly unknown[], options: unknown, came: Came, field: Field): PlainValue | null
}

/**
 * A feature of a record that has these fields. What it needs and gives is for the compiler alone: nothing is there when the program runs.
 */
export type Feature<Fields = never, Of extends string = string, G = unknown> = {
  readonly spec: OperatorSpec
  readonly needs?: (fields: Fields) => void
  readonly of?: Of
  readonly gives?: G
}

/** The fields it needs: the one that it is of, and the flag that says which records take part. */
type Needs<Of extends string, Kind extends FieldKind, When extends string> = { readonly [name in Of]: { readonly kind: Kind } } & {
  readonly [name in When]: { readonly kind: 'flag' }
}

/** The description, and the word of the language: `mean('risk_score', { last: 50, round: 3 })`. */
export const defineOperator = <
  const G extends Gives,
  Input,
  P extends Params,
  W extends WindowName,
  Kind extends FieldKind = keyof G & FieldKind,
>(
  description: Description<Kind, G, Input, P, W>,
) =>
  Object.assign(
    <const Of extends string, const When extends string = never>(
      of: Of,
      options: Options<W, P> & { readonly when?: When },
    ): Feature<Needs<Of, Kind, NoInfer<When>>, Of, G> => ({ spec: { op: description.op, of, ...(options as Attribute) } }),
    description,
  )
