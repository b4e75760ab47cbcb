/** The log: topics of messages in order, replayable from any offset, and one atomic commit that checkpoints can ride along with. */
import type { Save } from '../checkpoint/checkpoint.ts'

/** Messages packed one behind the other: message i is bytes[ends[i - 1] ?? 0 .. ends[i]). */
export type Batch = {
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
  /** One per message when the topic is keyed; the key decides the partition in the producer, never here. */
  readonly keys?: readonly string[]
}

export type Fetched = {
  /** Offset of the batch's first message, and of the message after its last. */
  readonly offset: number
  readonly next: number
  readonly batch: Batch
}

export type TopicState = {
  readonly topic: string
  /** Index is the partition: offsets of the first message held and of the next to come. */
  readonly partitions: readonly { readonly first: number; readonly next: number }[]
  readonly bytes: number
}

export type ReadOptions = {
  readonly partition: number
  readonly from: number
  /** Stop before this offset; without it, at the end as it is when the reader gets there. */
  readonly to?: number
  /** Wait for more at the end, until `signal` aborts (the iteration then just ends). */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

export interface Log {
  /** Makes the topic if it is missing; a Problem when it exists with another number of partitions. */
  create(topic: string, partitions: number): Promise<void>
  topics(): Promise<readonly TopicState[]>
  /** Batches from offset `from` on, in order. A read that starts inside a stored batch starts at exactly that message. A Problem when records at `from` were deleted. */
  read(topic: string, options: ReadOptions): AsyncIterable<Fetched>
  /**
   * The partitions of the topic that this process should work on now: everybody in the group gets some, and together they have all. Yields anew
   * when members come or go; ends, and leaves the group, when the signal aborts. Two members may hold one partition for a moment: take its writer
   * first, which fences the other.
   */
  share(topic: string, group: string, signal: AbortSignal): AsyncIterable<readonly number[]>
  /** Takes the name for itself: every commit of whoever took it before fails with Fenced, from now on. */
  writer(name: string): Promise<Writer>
  /** Deletes the records before the offset; offsets of the others stay. */
  truncate(topic: string, partition: number, before: number): Promise<void>
  close(): Promise<void>
}

export type Append = { readonly topic: string; readonly partition: number; readonly batch: Batch }

export interface Writer {
  /** All of it or nothing: durable when it resolves, in the order given. Returns the offset of the first message of each append. */
  commit(work: { readonly append?: readonly Append[]; readonly save?: readonly Save[] }): Promise<readonly number[]>
  close(): Promise<void>
}

/** Somebody else took this writer's name. */
export class Fenced extends Error {
  override readonly name = 'Fenced'
}
