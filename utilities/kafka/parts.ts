/** What the parts of the Kafka log share. */
import type { Cluster } from './client/cluster.ts'
import type { Compression } from './wire/compression.ts'

export type KafkaParts = {
  readonly cluster: Cluster
  /** Stands before the name of every topic and of every writer. */
  readonly prefix: string
  readonly compression: Compression
  readonly sizeLimit: SizeLimits
  /** The broker ends a transaction that takes longer. */
  readonly transactionTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly checkpointPartitions: number
  /** Settings of the topics made here, by name without the prefix. */
  readonly topicSettings: { readonly [topic: string]: TopicSettings }
  readonly note: (text: string) => void
}

/** How large the record batches of a topic may be, as the broker will measure them. */
export type SizeLimits = (topic: string) => Promise<number>

/** Settings of a topic under Kafka's own names, such as retention.ms. */
export type TopicSettings = { readonly [name: string]: string }
