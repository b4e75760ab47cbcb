/** The sink: reads the outflow of every stream and writes its rows into the warehouse, each batch together with how far it has come. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { knownSets, streamedSets, streamsOf } from '../streams/known-versions.ts'
import { ensureTopics } from '../streams/routing.ts'
import { sinkReader, sinksOf, streamOf, type Stream } from '../streams/stream.ts'
import { definitionOf } from '../feature-defs/row-schema.ts'
import { decoder } from '../schemas/avro/decode.ts'
import type { AvroSchema } from '../schemas/avro/schema.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { Fetched, Log } from '../utilities/log.ts'
import { workAsTheyCome } from '../utilities/running/as-they-come.ts'
import { oneAhead } from '../utilities/running/one-ahead.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import { workOnShares } from '../utilities/running/shares.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { gathered, runsTogether } from './gather.ts'

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

export async function sink(ports: SinkPorts, options: SinkOptions): Promise<void> {
  const { partitionsFor, nothingYet = async () => 'Run first: tidemark apply SET@0', follow, signal } = options
  if ((await knownSets(ports.registry)).length === 0)
    throw new Problem('no feature set is applied, so there is nothing to write', await nothingYet())
  const find = async () => streamsOf(await streamedSets(ports.registry))
  await workAsTheyCome({
    first: await find(),
    find,
    nameOf: ({ name }) => name,
    work: async (stream, signal) => {
      await ensureTopics(ports, stream, partitionsFor(stream))
      await workOnShares(ports.log, { ...options, topic: stream.outflow, group: sinksOf(stream), signal }, (partition, signal) =>
        sinkPartition(ports, { ...options, signal }, stream, partition),
      )
    },
    follow,
    signal,
  })
}

/**
 * A log that was lost and begun anew has no outflow, or one that holds nothing yet: how far the sink had come in the one before is no place
 * in it.
 */
export async function beginAnew({ log, warehouse }: Pick<SinkPorts, 'log' | 'warehouse'>, { set, record }: Definition): Promise<void> {
  const stream = streamOf(record)
  const partitions = (await log.topics()).find(({ topic }) => topic === stream.outflow)?.partitions ?? []
  for (let partition = 0; ; partition++) {
    const reader = sinkReader(stream, partition)
    const place = await warehouse.progress(reader)
    if (place === undefined) return
    if (place > 0 && (partitions[partition]?.next ?? 0) === 0)
      await warehouse.write(set, { count: 0, byName: new Map() }, { reader, next: 0 })
  }
}

async function sinkPartition(
  { log, registry, warehouse }: SinkPorts,
  { follow, signal, report }: SinkOptions,
  stream: Stream,
  partition: number,
): Promise<void> {
  const reader = sinkReader(stream, partition)
  const { outflow: topic } = stream
  const readers = new Map<string, Promise<RowReader | undefined>>()
  const laneOf = (id: string) => readers.get(id) ?? readers.set(id, openLane({ registry, warehouse }, id, signal)).get(id)!

  // A write that fails while the sink waits for more must not wait for it too.
  const failed = new AbortController()
  const writes = oneAhead(() => failed.abort())
  const stop = AbortSignal.any([signal, failed.signal])
  const write = async ({ batch, next }: Fetched) => {
    let unreadable = 0
    let set: string | undefined
    const parts: { readonly set: string; readonly columns: Columns }[] = []
    for (const { id, compression, batch: part, from, to } of runsTogether(batch)) {
      const reader = id !== undefined && compression === 'none' ? await laneOf(id) : undefined
      const read = reader?.decode(part, from, to)
      unreadable += read ? read.bad.length : to - from
      set = reader?.definition.set ?? set
      if (reader && read && !reader.retired) parts.push({ set: reader.definition.set, columns: read.columns })
    }
    for (const [i, { set, columns }] of parts.entries()) {
      // The progress rides on the last write: rows written before it are written again after a crash, onto themselves.
      const progress = i === parts.length - 1 ? { reader, next } : undefined
      // Those of several may lie in the same bytes.
      const rows: Columns = parts.length === 1 ? { ...columns, transferable: true } : columns
      await writes.begin(() =>
        warehouse.write(set, rows, progress, signal).then(() => report({ topic, rows: rows.count, unreadable: 0, offset: next })),
      )
    }
    // Nothing to write is read through too.
    if (parts.length === 0 && set !== undefined)
      await writes.begin(() => warehouse.write(set, { count: 0, byName: new Map() }, { reader, next }, signal))
    if (unreadable > 0) report({ topic, rows: 0, unreadable, offset: next })
  }

  const from = (await warehouse.progress(reader)) ?? 0
  const read = (until: AbortSignal) => log.read(topic, { partition, from, joined: true, follow, signal: until })
  try {
    for await (const fetched of gathered(read, warehouse.flush, stop)) {
      await write(fetched)
      if (signal.aborted) break
    }
    await writes.settled()
  } catch (error) {
    // Told to stop while the warehouse is away: what was not written has no progress, and is read again.
    if (!signal.aborted || error !== signal.reason) throw error
  }
}

type RowReader = {
  readonly definition: Definition
  readonly decode: ReturnType<typeof decoder>
  /** Its rows are gone from the warehouse, and stay so. */
  readonly retired: boolean
}

async function openLane(
  { registry, warehouse }: Pick<SinkPorts, 'registry' | 'warehouse'>,
  id: string,
  signal: AbortSignal,
): Promise<RowReader | undefined> {
  const registered = await registry.find(id)
  const schema = registered && (JSON.parse(registered.definition) as AvroSchema)
  const definition = definitionOf(schema)
  if (!schema || !definition) return undefined
  const record = (await warehouse.versions(definition.set, signal)).find(({ version }) => version === definition.version)
  return { definition, decode: decoder(schema), retired: record?.state === 'retired' }
}
