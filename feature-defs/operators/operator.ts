/**
 * An operator turns a series of inputs into one value per input.
 *
 * Its description is data; its state belongs to one key and is moved forward by `run` alone, a stretch of a column at a time:
 * no clock, no I/O. One row is a stretch of one, so batch, stream and per-key state all go through the same lines.
 */

/** A window of the last `last` records, or of the records whose event date lies in the last `days` days. */
export type Window = { readonly last: number } | { readonly days: number }

export type WindowedOp = 'mean' | 'sum' | 'count' | 'min' | 'max' | 'stddev' | 'last'

/** What a definition says of one feature: all that its values depend on. */
export type OperatorSpec =
  | ({ readonly op: WindowedOp; readonly of: string; readonly round?: number } & Window)
  | { readonly op: 'ema'; readonly of: string; readonly span: number; readonly round?: number }

/** What the window of each operator may be called; of several, a definition gives one. */
export const windowOptions: { readonly [op in OperatorSpec['op']]: readonly string[] } = {
  mean: ['last', 'days'], sum: ['last', 'days'], count: ['last', 'days'], min: ['last', 'days'], max: ['last', 'days'],
  stddev: ['last', 'days'], last: ['last', 'days'], ema: ['span'],
}

export interface Operator<State> {
  init(): State
  /**
   * Takes rows from..to (to excluded) of the input and writes out[i], the feature's value once row i has been seen.
   * NaN is null, in and out. `days` is the event date of each row. The state is changed in place.
   */
  run(state: State, input: Float64Array, days: Int32Array, out: Float64Array, from: number, to: number): void
  /** The state as bytes, and back: load(save(s)) goes on exactly as s would have. */
  save(state: State): Uint8Array
  load(saved: Uint8Array): State
}
