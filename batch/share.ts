/**
 * What a batch is, and each partition's share of it: which rows are its own, what they were taken after, and the versions that compute
 * them.
 */
import { running, type Routing } from '../streams/position.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import type { NoNumbers } from '../feature-defs/models/no-numbers.ts'
import type { Maker } from '../feature-defs/made.ts'
import { makerOf } from '../feature-defs/maker.ts'
import { layersOf, lookupState, type Layers } from '../streams/state.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { takenIn, untaken, type Take, type TakenRows, type Years } from '../schemas/csv/selection.ts'
import { numbersOf, placeAmong } from '../schemas/csv/together.ts'
import type { Models } from '../utilities/models.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { Registry } from '../utilities/registry.ts'
import type { RejectsFile } from '../utilities/files/rejects.ts'
import type { Source, SourceIdentity } from '../utilities/source.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { spreadTogether } from './file-intake.ts'
import type { HoldPorts, HeldPartition } from './hold.ts'
import { loadProgress } from './progress.ts'
import { firstWaiting } from './waiting.ts'

export type BackfillPorts = HoldPorts & {
  readonly registry: Registry
  readonly warehouse: Warehouse
  readonly source: Source
  readonly rejects: RejectsFile
  readonly models: Models
}

export type BackfillOptions = {
  readonly set: string
  readonly years: Years
  readonly strict: boolean
  readonly continue: boolean
  /** Who does it, for those who wait. */
  readonly by: string
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number; readonly seq: number }) => void
}

/** Rows of the file: taken now, there already (or waiting in inflow), rejected now or before, of other years; together what was read. */
export type Backfilled = {
  readonly rows: number
  readonly alreadyThere: number
  readonly rejected: number
  readonly rejectedBefore: number
  readonly notChosen: number
  readonly versions: readonly number[]
  /** Of the rows taken now, those that a version cannot read and another can: it has none of them. */
  readonly unread: readonly { readonly version: number; readonly rows: number }[]
  /** Values of features that their types had no room for. */
  readonly beyond: number
  /** For how many rows models gave no number, by version and feature; left out where there are none. */
  readonly noNumbers?: NoNumbers
  readonly interrupted: boolean
}

export type Batch = {
  readonly ports: BackfillPorts
  readonly options: BackfillOptions
  readonly identity: SourceIdentity
  readonly base: number
  readonly token: string
  /** Of all versions that are computed: what one of them can read is a record. */
  readonly records: readonly RecordSchema[]
  readonly batchOnly: boolean
  /** So many partitions had it all when an earlier run was cut short. */
  readonly finished: number
  /** The last record that the set had taken before. */
  readonly after: number
  /** Rows are written that no position knows. */
  wrote: boolean
}

/** A partition's share of the batch. */
export type Work = HeldPartition & {
  readonly atWork: readonly VersionAtWork[]
  /** What the partition has, or gets from the stream. */
  readonly before: TakenRows
  /** What inflow holds of the file, taken or waiting. */
  readonly inflow: TakenRows
  /** The next record that the stream will take. */
  readonly waits: number
  /** Up to there an earlier run has written. */
  readonly place: number
  /** How many rows of the batch are its own. */
  rows: number
}

export type VersionAtWork = {
  readonly definition: Definition
  readonly layers: Layers
  readonly maker: Maker
  /** Which of the batch's records it reads. */
  readonly reading: number
  /** Rows of the batch that it cannot read, and of those the ones that are taken now. */
  unread: number
  unreadNow: number
}

/** `known` is every version of the set, `held` what inflow holds of the file. */
export async function openWork(
  batch: Batch,
  part: HeldPartition,
  { known, held }: { readonly known: readonly Definition[]; readonly held: readonly Take[] },
): Promise<Work> {
  const {
    ports,
    options: { set },
    base,
    records,
    batchOnly,
  } = batch
  const { partition, position } = part
  const live = running(position).map(layersOf)
  const { place, states } = await loadProgress(
    ports.checkpoints,
    set,
    partition,
    live.map(({ version }) => version),
  )
  const atWork = await Promise.all(
    live.map(async (layers): Promise<VersionAtWork> => {
      const definition = known.find((one) => one.version === layers.version)!
      const [changed, before] = [states.get(layers.version)!, await lookupState(ports.checkpoints, { set, partition }, layers)]
      const state = { get: (key: string) => changed.get(key) ?? before.get(key) }
      return {
        definition,
        layers,
        maker: makerOf(definition, { from: state, models: ports.models }),
        reading: placeAmong(records, definition.record),
        unread: 0,
        unreadNow: 0,
      }
    }),
  )
  const waits = batchOnly ? Infinity : await firstWaiting(ports, records, partition, position)
  const batches = takenIn(position.history.filter((piece) => piece.kind === 'batch').filter((piece) => piece.base === base))
  const inflow = takenIn(held)
  const streamed = position.history.filter((piece) => piece.kind === 'inflow')
  const before: TakenRows = {
    upTo: Math.max(batches.upTo, inflow.upTo),
    // What inflow holds has gone through the stream, or it will.
    has: (seq, day) =>
      batches.has(seq, day) ||
      (inflow.has(seq, day) && (seq >= waits || streamed.some(({ firstSeq, lastSeq }) => seq >= firstSeq && seq <= lastSeq))),
  }
  // The same object, whose writer may be taken back.
  return Object.assign(part, { atWork, before, inflow, waits, place, rows: 0 })
}

/** The records of a partition, as each of the batch's records reads them, and the numbers of all. */
export type Due = { readonly part: Work; readonly readings: readonly Columns[]; readonly seq: Float64Array }

/** The rows of the batch by partition, those of an earlier run that was cut short included. */
export const sharesOf = (
  { records, finished }: Batch,
  works: readonly Work[],
  readings: readonly Columns[],
  routing: Routing,
): readonly Due[] =>
  spreadTogether(readings, routing).flatMap(({ partition, readings }) => {
    const part = works[partition - finished]
    if (!part) return []
    const fresh = readings.map((own, i) => untaken(own, records[i]!.at, part.before))
    const seq = numbersOf(fresh)
    return seq.length > 0 ? [{ part, readings: fresh, seq }] : []
  })
