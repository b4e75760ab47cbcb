/** What the sink works with, and what it tells. */
import type { Stream } from '../streams/stream.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Warehouse } from '../utilities/warehouse.ts'

export type SinkPorts = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry; readonly warehouse: Warehouse }

export type SinkOptions = {
  /** How many the inflow of a stream gets if it has to be made. */
  readonly partitionsFor: (stream: Stream) => number
  readonly follow: boolean
  /** What to do where no feature set is applied. */
  readonly nothingYet?: () => Promise<string>
  readonly signal: AbortSignal
  readonly report: (news: SinkNews) => void
  readonly note: (text: string) => void
}
type SinkNews = { readonly topic: string; readonly rows: number; readonly unreadable: number; readonly offset: number }
