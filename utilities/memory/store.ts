/** What several handles share in memory, as several processes share a file: topics, checkpoints and writers, committed together. */
import type { Batch } from '../log.ts'

type StoredBatch = { readonly offset: number; readonly next: number; readonly batch: Batch }

/** Offsets of the first message held and of the next to come, and the batches between, oldest first. */
export type StoredPartition = { first: number; next: number; batches: StoredBatch[] }

export type MemoryStore = {
  readonly topics: Map<string, readonly StoredPartition[]>
  /** Which topic it is, by name: made anew it is another. */
  readonly topicIds: Map<string, string>
  readonly checkpoints: Map<string, Map<string, Uint8Array>>
  /** Who came last under each name of a writer. */
  readonly epochs: Map<string, number>
  /** Readers that wait for more, to be called once when there is. */
  readonly waiting: Set<() => void>
}

export const memoryStore = (): MemoryStore => ({
  topics: new Map(),
  topicIds: new Map(),
  checkpoints: new Map(),
  epochs: new Map(),
  waiting: new Set(),
})
