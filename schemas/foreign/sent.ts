/**
 * A message as it was sent: JSON in bytes, and beside it what its schema says of its values that JSON cannot say. A message in Avro is
 * written out as such JSON first, so that one reader takes both: whole numbers to the last digit, bytes in base64, NaN and the infinities
 * as texts ("NaN", "Infinity", "-Infinity"), enums as texts, unions as their value alone, maps as objects.
 */

export type SentType =
  /** What JSON says is all. */
  | { readonly is: 'plain' }
  /** In base64. */
  | { readonly is: 'bytes' }
  /** Base64 of a whole number in two's complement, the highest byte first: so many of 1 / 10^scale. */
  | { readonly is: 'decimal'; readonly scale: number }
  /** An object of a `scale` and such a `value`. */
  | { readonly is: 'scaled' }
  /** A whole number of such parts of a second since 1970. */
  | { readonly is: 'moment'; readonly unit: 'milliseconds' | 'microseconds' | 'nanoseconds' }
  /** A whole number of days since 1970. */
  | { readonly is: 'day' }
  /** A time of day. */
  | { readonly is: 'time' }
  | { readonly is: 'struct'; readonly fields: ReadonlyMap<string, SentType> }

/** JSON from one place of the bytes to another. The reader may use the bytes again when two more have been read. */
export type Sent = { readonly bytes: Uint8Array; readonly from: number; readonly to: number; readonly type: SentType }

export interface AvroReader {
  /** Whether bytes that begin so are a message in Avro. */
  isAvro(bytes: Uint8Array, from: number, to: number): boolean
  /** Finds the schemas of these messages, so that `read` knows them. */
  prepare(messages: readonly { readonly bytes: Uint8Array; readonly from: number; readonly to: number }[]): Promise<void>
  /** One type object for one schema, always the same. A text says why it cannot be read. */
  read(bytes: Uint8Array, from: number, to: number): Sent | string
  /** Keys may be something else where messages do not say what they are. */
  readonly ofKeys: Omit<AvroReader, 'ofKeys'>
}
