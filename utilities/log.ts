/** The log: topics of messages in order, replayable from any offset, and one atomic commit that checkpoints can ride along with. */
import type { Save } from './checkpoints.ts'
import { Problem } from './values/problem.ts'

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
  /** Of each message, in a chunk that was joined over gaps; otherwise they follow one another from `offset`. */
  readonly offsets?: Float64Array
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
  /**
   * Chunks may hold messages whose offsets are not one behind the other: fewer and larger chunks where commits are small, in a log that
   * marks the end of each with an offset.
   */
  readonly joined?: boolean
  /** Wait for more at the end, until `signal` aborts (the iteration then just ends). */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

export interface Log {
  /** Makes the topic if it is missing; a Problem when it exists with another number of partitions. */
  create(topic: string, partitions: number): Promise<void>
  topics(): Promise<readonly TopicState[]>
  /** How many partitions the topic has now; 0 when it is not there. Cheaper than the state of all topics. */
  partitions(topic: string): Promise<number>
  /** Which topic it is: deleted and made anew it is another one. undefined when it is not there; '' where the log cannot tell. */
  topicId(topic: string): Promise<string | undefined>
  /** How many bytes a message may have, its key included; Infinity without a limit. */
  largestMessage(topic: string): Promise<number>
  /**
   * Batches from offset `from` on, in order. A read that starts inside a stored batch starts at exactly that message. A Problem when
   * records at `from` were deleted.
   */
  read(topic: string, options: ReadOptions): AsyncIterable<Fetched>
  /**
   * The partitions of the topic that this process should work on now: everybody in the group gets some, and together they have all. Yields
   * anew when members come or go; ends, and leaves the group, when the signal aborts. Two members may hold one partition for a moment: take
   * its writer first, which fences the other.
   */
  share(topic: string, group: string, signal: AbortSignal): AsyncIterable<readonly number[]>
  /** Takes the name for itself: every commit of whoever took it before fails with Fenced, from now on. */
  writer(name: string): Promise<Writer>
  /** Deletes the records before the offset; offsets of the others stay. */
  truncate(topic: string, partition: number, before: number): Promise<void>
  close(): Promise<void>
  /** Every offset is a message, so that a span of offsets counts messages. Without it, some are marks of the log's own. */
  readonly gapless?: true
}

export type Append = { readonly topic: string; readonly partition: number; readonly batch: Batch }

/**
 * How far a group has come in a topic: kept with the commit where the server shows it to other tools, who measure lag by it. Nothing of
 * ours reads it.
 */
export type GroupOffset = { readonly group: string; readonly topic: string; readonly partition: number; readonly next: number }

export interface Writer {
  /** All of it or nothing: durable when it resolves, in the order given. Returns the offset of the first message of each append. */
  commit(work: {
    readonly append?: readonly Append[]
    readonly save?: readonly Save[]
    readonly taken?: GroupOffset
  }): Promise<readonly number[]>
  close(): Promise<void>
}

/** Somebody else took this writer's name. */
export class Fenced extends Error {
  override readonly name = 'Fenced'
}

/** The topic is not there, or not any more. */
export class NoTopic extends Problem {
  constructor(what: string) {
    super(what, 'Run: tidemark topics, to see which there are; apply, produce and ingest make the ones they need.')
  }
}
