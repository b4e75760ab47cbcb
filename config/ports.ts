/** All that a command works with: what stands behind each port, only the wiring knows. */
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Clock } from '../utilities/values/clock.ts'
import type { Feed } from '../utilities/feed.ts'
import type { Lease, LeaseOptions } from '../utilities/lease.ts'
import type { Log } from '../utilities/log.ts'
import type { Models } from '../utilities/models.ts'
import type { Registry } from '../utilities/registry.ts'
import type { RejectsFile } from '../utilities/files/rejects.ts'
import type { Served } from '../utilities/served.ts'
import type { Source } from '../utilities/source.ts'
import type { Tables } from '../utilities/tables.ts'
import type { Warehouse } from '../utilities/warehouse.ts'

export type FeedOptions = {
  /** Topics that cannot be reached within so long are out of reach; without it, they are waited for. */
  readonly withinMs?: number
}

export type Ports = {
  readonly log: Log
  readonly checkpoints: Checkpoints
  readonly registry: Registry
  readonly warehouse: Warehouse
  readonly clock: Clock
  readonly models: Models
  /** The file of that place or, when it is not there any more, the one that is configured for the record of that name. */
  readonly openSource: (place: string, record: string) => Source
  /** Topics of others, and standard input. Each part opens when it is asked about first; a topic that comes from nowhere is a Problem. */
  readonly openFeed: (options?: FeedOptions) => Promise<Feed>
  /** The tables on disk, as of what the log held when they were used last. */
  readonly openTables: () => Promise<Tables>
  /** What services read, in a store of its own. */
  readonly openServed: () => Promise<Served>
  /** One process at a time holds a lease. */
  readonly lease: (name: string, options?: LeaseOptions) => Promise<Lease>
  readonly rejects: (name: string) => RejectsFile
  readonly rejectsPath: (name: string) => string
  close(): Promise<void>
}
