/** Records as columns: what every hot path works on. One Columns value holds a batch. */

/** NaN is null: no source of ours can carry a NaN. */
export type NumberColumn = { readonly kind: 'number'; readonly values: Float64Array }
/** Whole numbers up to 2^53. */
export type IntColumn = { readonly kind: 'int'; readonly values: Float64Array }
export type LongColumn = { readonly kind: 'long'; readonly values: BigInt64Array }
/** Days since 1970-01-01; noDay is null. */
export type DateColumn = { readonly kind: 'date'; readonly days: Int32Array }
/** UTF-8 bytes of text i are bytes[starts[i] .. ends[i]); a start of -1 is null. */
export type TextColumn = { readonly kind: 'text'; readonly bytes: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array }

export type Column = NumberColumn | IntColumn | LongColumn | DateColumn | TextColumn

export type Columns = {
  readonly count: number
  readonly byName: ReadonlyMap<string, Column>
}

export const noDay = -0x80000000
