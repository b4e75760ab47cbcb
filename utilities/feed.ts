/** A feed: topics of others, which are only read, from any place on. */

/** Pieces of bytes, one per message: a start of -1 says that there is none. */
export type Pieces = { readonly bytes: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array }

/** Messages of a partition as their writer sent them. */
export type Messages = {
  readonly count: number
  readonly offsets: Float64Array
  /** Milliseconds since 1970. */
  readonly times: Float64Array
  readonly keys: Pieces
  readonly values: Pieces
  /** The bytes of a message's header; undefined where it has none of that name. */
  readonly header: (message: number, name: string) => Uint8Array | undefined
  /** Where to read on: behind the last message, and behind marks that nobody sees. */
  readonly next: number
  /** Where the partition ended, as far as it is committed, when these were read; Infinity while nobody can know. */
  readonly end: number
}

/** The first message held, and the next to come: Infinity while nobody can know. */
export type Ends = { readonly first: number; readonly next: number }

export interface Feed {
  /**
   * Index is the partition: offsets of the first message held and of the next to come. Empty when the topic is not there. `uncommitted`:
   * what is sent and may not be read yet counts, too.
   */
  ends(topic: string, options?: { readonly uncommitted?: boolean }): Promise<readonly Ends[]>
  /**
   * Committed messages from an offset on. At the end it yields none, so that its reader knows, and then waits for more until the signal
   * aborts: about twice a second it says again that there are none. A Problem when messages at `from` were deleted. What cannot go on,
   * as standard input that has ended, says once that it is at its end, and is over.
   */
  read(topic: string, from: { readonly partition: number; readonly from: number; readonly signal: AbortSignal }): AsyncIterable<Messages>
  close(): Promise<void>
}

/** What a reader is told at the end. */
export function noMessages(next: number, end: number): Messages {
  const none: Pieces = { bytes: new Uint8Array(), starts: new Int32Array(), ends: new Int32Array() }
  return { count: 0, offsets: new Float64Array(), times: new Float64Array(), keys: none, values: none, header: () => undefined, next, end }
}
