/**
 * What an operator is. It turns a series of inputs into one value per input, and its description is all there is to it: the language's word
 * and its typing, what a schema says of a feature and what is refused there, fingerprints, the engine and the laws of the tests follow.
 */
import type { Attribute, Json } from '../schemas/avro/schema.ts'
import type { FeatureKind, Output } from './feature-columns.ts'
import type { Fraction } from './fractions.ts'
import type { Option, ValueOf, WindowName, windows } from './options.ts'
import type { FieldKind, FieldValues, Takes } from './takes.ts'

/** What a definition says of one feature, as plain data: all that its values depend on. */
export type OperatorSpec = { readonly op: string; readonly of: string; readonly [option: string]: Json }

/** What there is of each record beside the operator's input. */
type Rows = { /** The event date. */ readonly days: Int32Array }

/**
 * An operator with its options. The state belongs to one key and is moved forward by `run` alone, a stretch of a column at a time:
 * no clock, no I/O. One row is a stretch of one, so batch, stream and per-key state all go through the same lines.
 */
export interface Computation<State, Input = unknown> {
  init(): State
  /** Takes rows from..to (to excluded) of the input and writes out[i], the feature's value once row i has been seen. Changes the state. */
  run(state: State, input: Input, rows: Rows, out: Output, from: number, to: number): void
  /** The state as bytes, and back: load(save(s)) goes on exactly as s would have. */
  save(state: State): Uint8Array
  load(saved: Uint8Array): State
  /** The most bytes that a saved state can take: it does not grow with the stream, but by days for a window of days. */
  mostBytes(distinctDays: number): number
}

export type Params = { readonly [name: string]: Option<Json> }
type ParamsGiven<P extends Params> = { readonly [Name in keyof P]?: ValueOf<P[Name]> }
type SizeOf<W extends WindowName> = ValueOf<(typeof windows)[W]>
/** One of the windows, and any of the parameters. */
type Options<W extends WindowName, P extends Params> = { [Name in W]: { readonly [name in Name]: SizeOf<Name> } }[W] & ParamsGiven<P>

type Description<Kind extends FieldKind, Input, Gives extends FeatureKind, P extends Params, W extends WindowName> = {
  readonly op: string
  readonly takes: Takes<Kind, Input>
  readonly gives: Gives
  readonly params: P
  /** Those that it can look through, each with what computes it. */
  readonly windows: { readonly [Name in W]: (size: SizeOf<Name>, params: ParamsGiven<P>) => Computation<unknown, Input> }
  /** The plain meaning, which the rest must equal: what it yields, before rounding, for the values of a window that are not null. */
  exact(values: readonly FieldValues[Kind][], options: Options<W, P>): number | Fraction | null
}

/** An operator as whatever is derived from it sees it. */
export type Operator = {
  readonly op: string
  readonly takes: Takes
  readonly gives: FeatureKind
  readonly params: Params
  readonly windows: { readonly [Name in WindowName]?: (size: never, params: never) => Computation<unknown> }
  exact(values: readonly unknown[], options: unknown): number | Fraction | null
}

/**
 * A feature of a record that has these fields. What it needs and gives is for the compiler alone: nothing is there when the program runs.
 */
export type Feature<Fields = never, Gives extends FeatureKind = FeatureKind> = {
  readonly spec: OperatorSpec
  readonly needs?: (fields: Fields) => void
  readonly gives?: Gives
}

/** The description, and the word of the language: `mean('risk_score', { last: 50, round: 3 })`. */
export const defineOperator = <Kind extends FieldKind, Input, const Gives extends FeatureKind, P extends Params, W extends WindowName>(
  description: Description<Kind, Input, Gives, P, W>,
) =>
  Object.assign(
    <const Of extends string>(of: Of, options: Options<W, P>): Feature<{ readonly [name in Of]: { readonly kind: Kind } }, Gives> => ({
      spec: { op: description.op, of, ...(options as Attribute) },
    }),
    description,
  )
