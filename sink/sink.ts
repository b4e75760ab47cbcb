/** The sink: reads the outflow of every stream and writes its rows into the warehouse, each batch together with how far it has come. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { knownSets, knownVersions, streamedSets } from '../streams/known-versions.ts'
import { ensureTopics } from '../streams/routing.ts'
import { runsTogether } from '../streams/runs-together.ts'
import { offsetOf } from '../streams/dead.ts'
import { forServices } from '../streams/for-services.ts'
import { factSinksOf, ownerOf, sinkReader, sinksOf, streamOf, type OfSet, type Stream } from '../streams/stream.ts'
import { isFact } from '../schemas/fact.ts'
import { definitionOf } from '../feature-defs/row-schema.ts'
import { decoder } from '../schemas/avro/decode.ts'
import type { AvroSchema } from '../schemas/avro/schema.ts'
import { rowsWithKeys } from '../streams/row-keys.ts'
import { workAsTheyCome } from '../utilities/running/as-they-come.ts'
import { Problem } from '../utilities/values/problem.ts'
import { workOnShares } from '../utilities/running/shares.ts'
import type { Lot } from '../utilities/warehouse.ts'
import { sinkFacts, type FactSunk } from './facts.ts'
import type { SinkOptions, SinkPorts } from './ports.ts'
import type { Part } from '../streams/cut-groups.ts'
import { written } from './written.ts'

export async function sink(ports: SinkPorts, options: SinkOptions): Promise<void> {
  const { partitionsFor, nothingYet = async () => 'Run first: tidemark apply SET@0', follow, signal } = options
  if ((await knownSets(ports.registry)).length === 0)
    throw new Problem('no feature set is applied, so there is nothing to write', await nothingYet())
  const find = () => jobsOf(ports, arranged)
  const arranged = new Set<string>()
  await workAsTheyCome({
    first: await find(),
    find,
    nameOf: ({ topic }) => topic,
    work: async ({ stream, topic, facts }, signal) => {
      await ensureTopics(ports, stream, partitionsFor(stream))
      const group = facts ? factSinksOf(stream) : sinksOf(stream)
      const own = { ...options, signal }
      await workOnShares(ports.log, { ...own, topic, group }, (partition, signal) =>
        facts ? sinkFacts(ports, { ...own, signal }, facts, partition) : sinkPartition(ports, { ...own, signal }, stream, partition),
      )
    },
    follow,
    signal,
  })
}

/** A topic to bring to the warehouse: the outflow of a stream, or the inflow of a fact. */
type Job = { readonly topic: string; readonly stream: Stream; readonly facts?: FactSunk }

/** Facts have no table before a set over them is arranged: `arranged` remembers which have. */
async function jobsOf({ registry, warehouse }: SinkPorts, arranged: Set<string>): Promise<readonly Job[]> {
  const jobs = new Map<string, Job>()
  for (const { set, record } of await streamedSets(registry)) {
    const stream = streamOf(record)
    jobs.set(stream.outflow, { topic: stream.outflow, stream })
    if (!isFact(record)) continue
    const isGone = async () => !(await isArranged({ registry, warehouse }, { set, record }))
    if (!arranged.has(stream.name) && (await isArranged({ registry, warehouse }, { set, record }))) arranged.add(stream.name)
    if (arranged.has(stream.name)) jobs.set(stream.inflow, { topic: stream.inflow, stream, facts: { fact: record, stream, isGone } })
  }
  return [...jobs.values()]
}

/** Whether a version over that stream is known there, whose facts have a table then; one that is retired has none. */
async function isArranged({ registry, warehouse }: Pick<SinkPorts, 'registry' | 'warehouse'>, over: OfSet): Promise<boolean> {
  const known = (await knownVersions(registry, over.set)).filter(({ definition }) => ownerOf(definition) === ownerOf(over))
  const there = await warehouse.versions(over.set)
  return there.some(({ state, version }) => state !== 'retired' && known.some(({ definition }) => definition.version === version))
}

const none = new Float64Array(0)

async function sinkPartition(
  { log, registry, warehouse }: SinkPorts,
  { follow, signal, report }: SinkOptions,
  stream: Stream,
  partition: number,
): Promise<void> {
  const reader = sinkReader(stream, partition)
  const { outflow: topic } = stream
  const readers = new Map<string, Promise<RowReader | 'passed over' | undefined>>()
  const laneOf = (id: string) => readers.get(id) ?? readers.set(id, openLane({ registry, warehouse }, id, signal)).get(id)!
  await written<RowReader>({
    read: (from, until) => log.read(topic, { partition, from, joined: true, follow, signal: until }),
    from: (await warehouse.progress(reader)) ?? 0,
    flush: warehouse.flush,
    signal,
    async partsOf(fetched) {
      let unreadable = 0
      const parts: Part<RowReader>[] = []
      for (const { id, compression, batch, from, to, was } of runsTogether(fetched.batch)) {
        const lane = id !== undefined && compression === 'none' ? await laneOf(id) : undefined
        // The warehouse has these rows already.
        if (lane === 'passed over') continue
        const read = lane?.decode(batch, from, to)
        unreadable += read ? read.bad.length : to - from
        if (!lane || !read) continue
        const inGroups = read.columns.byName.has('group_end')
        const offsets = inGroups ? Float64Array.from(read.rows, (message) => offsetOf(fetched, was(message))) : none
        parts.push({ lane, columns: read.columns, offsets })
      }
      if (unreadable > 0) report({ topic, rows: 0, unreadable, offset: fetched.next })
      return parts
    },
    async write({ parts, next }) {
      const lots = parts
        .filter(({ lane, columns }) => !lane.retired && columns.count > 0)
        .map(({ lane: { definition }, columns }): Lot => ({ set: definition.set, rows: rowsWithKeys(definition, columns) }))
      const progress = { reader, next }
      const [only] = lots
      // Those of several may lie in the same bytes, and so may what waits for the rest of its group.
      const isOwn = lots.length === 1 && parts.every(({ offsets }) => offsets.length === 0)
      if (isOwn) await warehouse.write(only!.set, { ...only!.rows, transferable: true }, progress, signal)
      else await warehouse.writeTogether(lots, progress, signal)
      for (const { rows } of lots) report({ topic, rows: rows.count, unreadable: 0, offset: next })
    },
  })
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
): Promise<RowReader | 'passed over' | undefined> {
  const registered = await registry.find(id)
  const schema = registered && (JSON.parse(registered.definition) as AvroSchema)
  if (forServices(schema)) return 'passed over'
  const definition = definitionOf(schema)
  if (!schema || !definition) return undefined
  const record = (await warehouse.versions(definition.set, signal)).find(({ version }) => version === definition.version)
  return { definition, decode: decoder(schema), retired: record?.state === 'retired' }
}
