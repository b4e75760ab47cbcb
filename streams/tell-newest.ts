/**
 * Tells outflow the newest row of each key that came to the warehouse by another way, so that whoever follows outflow alone has all keys.
 * Nothing is lost or wrong where it is told twice: a row takes nothing's place but an older one's.
 */
import type { Definition } from '../feature-defs/feature-set.ts'
import { keyFields } from '../feature-defs/keys.ts'
import { isFact } from '../schemas/fact.ts'
import { encoder } from '../schemas/avro/encode.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Append, Batch, Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { mostAround, registerTold, toldMessages } from './for-services.ts'
import { unkept } from './kept-schemas.ts'
import { knownVersions, type Known } from './known-versions.ts'
import { messageKeys, spread } from './routing.ts'
import { streamOf } from './stream.ts'
import { endOf, loadTold, saveTold, type Told } from './told.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry; readonly warehouse: Warehouse }

export type TellOptions = {
  readonly set: string
  /** Of these versions; others have no rows, or none any more. */
  readonly isTold: (version: number) => boolean
  readonly signal: AbortSignal
}

/** Of a version on one partition: rows with later numbers than `after` are to be told; undefined where none are. */
function dueOf(told: Told | undefined, topicId: string, first: number): number | undefined {
  // Of a store of before, or told in what is gone by now.
  if (!told || told.topic !== topicId || told.from < first) return 0
  return told.untold
}

/** Whether there are any to be told. */
export async function hasUntold(ports: Omit<Ports, 'warehouse'>, { set, isTold }: Omit<TellOptions, 'signal'>): Promise<boolean> {
  for (const known of await knownVersions(ports.registry, set))
    if (isTold(known.definition.version) && (await duesOf(ports, known.definition)).some((due) => due !== undefined)) return true
  return false
}

export async function tellNewest(ports: Ports, { set, isTold, signal }: TellOptions): Promise<void> {
  for (const known of await knownVersions(ports.registry, set))
    if (isTold(known.definition.version)) await tellVersion(ports, known, signal)
}

/** By partition; none for a set that no stream computes. */
async function duesOf({ log, checkpoints }: Omit<Ports, 'warehouse'>, definition: Definition): Promise<readonly (number | undefined)[]> {
  const { set, version, record, batchOnly } = definition
  if (batchOnly) return []
  const { outflow } = streamOf(record)
  const ends = (await log.topics()).find(({ topic }) => topic === outflow)?.partitions ?? []
  const topicId = (await log.topicId(outflow)) ?? ''
  const toldIn = await loadTold(checkpoints, set)
  return ends.map(({ first }, partition) => dueOf(toldIn(version, partition), topicId, first))
}

async function tellVersion(ports: Ports, { definition, schema, registered }: Known, signal: AbortSignal): Promise<void> {
  const { log, checkpoints, registry, warehouse } = ports
  const { set, version, record, per } = definition
  const dues = await duesOf(ports, definition)
  if (dues.every((due) => due === undefined)) return
  const { outflow: topic } = streamOf(record)
  const before = await loadTold(checkpoints, set)
  const ends = await Promise.all(dues.map((_, partition) => endOf(log, topic, partition)))
  const most = (await log.largestMessage(topic)) - mostAround
  const told = await registerTold(registry)
  const encode = encoder(schema, registered.id)
  const writer = await log.writer(`tell/${set}`)
  try {
    const after = Math.min(...dues.map((due) => due ?? Infinity))
    for await (const rows of warehouse.newest(set, version, { per: keyFields(per), after })) {
      signal.throwIfAborted()
      const append = spread(asMade(definition, rows), { per, partitions: dues.length }).flatMap(({ partition, records }): Append[] => {
        if (dues[partition] === undefined) return []
        const keys = messageKeys(records, per)
        const batch = fitting({ ...encode(records), ...(keys && { keys }) }, most)
        return batch.ends.length > 0 ? [{ topic, partition, batch: toldMessages(told.id, batch) }] : []
      })
      if (append.length > 0) await writer.commit({ append, save: await unkept(ports, [told]) })
    }
    const save = dues.flatMap((due, partition) => {
      if (due === undefined) return []
      const { untold: _, ...known } = before(version, partition) ?? ends[partition]!
      return [saveTold({ set, version, partition }, due === 0 ? ends[partition]! : known)]
    })
    await writer.commit({ save })
  } finally {
    await writer.close()
  }
}

/** Each stands by itself, whatever came with it then. */
function asMade({ record }: Definition, rows: Columns): Columns {
  if (!isFact(record)) return rows
  const byName = new Map(rows.byName).set('group_end', { kind: 'flag', values: new Uint8Array(rows.count).fill(1) })
  return { count: rows.count, byName }
}

/** A row of a file may be larger than any message that the log takes: such a one is told by nobody. */
function fitting(batch: Batch, most: number): Batch {
  const { bytes, ends, keys } = batch
  const sizeOf = (message: number) =>
    ends[message]! - (message === 0 ? 0 : ends[message - 1]!) + (keys ? Buffer.byteLength(keys[message]!) : 0)
  if (most === Infinity || ends.every((_, message) => sizeOf(message) <= most)) return batch
  const kept = [...ends.keys()].filter((message) => sizeOf(message) <= most)
  const parts = kept.map((message) => bytes.subarray(message === 0 ? 0 : ends[message - 1], ends[message]))
  let end = 0
  return {
    bytes: Buffer.concat(parts),
    ends: Uint32Array.from(parts, ({ length }) => (end += length)),
    ...(keys && { keys: kept.map((message) => keys[message]!) }),
  }
}
