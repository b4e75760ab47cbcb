/**
 * Makes the table of standing facts again from what `inflow` tells of, as far as the sink has come: whoever reads it meanwhile sees no gap.
 */
import type { FactSchema } from '../schemas/fact.ts'
import { recordedIn } from '../streams/held.ts'
import { inflowReader } from '../streams/inflow.ts'
import { factsReader, standsAs, streamOf, type Stream } from '../streams/stream.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { columnOf, pick, type Column } from '../utilities/values/columns.ts'
import { standing } from './facts.ts'
import type { SinkPorts } from './ports.ts'

export type FactsRepaired = {
  /** By the name of its stream: each version of a fact has one. */
  readonly fact: string
  /** Facts that stand, all of them written again. */
  readonly facts: number
  /** What was there and is no fact. */
  readonly removed: number
}

export async function repairFacts(ports: SinkPorts, fact: FactSchema, signal: AbortSignal): Promise<FactsRepaired> {
  const { log, checkpoints, registry, warehouse } = ports
  const stream = streamOf(fact)
  const changes = await inflowReader(registry, fact, Object.keys(fact.fields), recordedIn(checkpoints, stream))
  const stand = new Map<string, number>()
  const partitions = (await log.topics()).find(({ topic }) => topic === stream.inflow)?.partitions ?? []
  for (const [partition, { first }] of partitions.entries()) {
    const reader = factsReader(stream, partition)
    const to = (await warehouse.progress(reader)) ?? 0
    // What is told behind a place that is gone with the table comes from there on.
    if (to < first) await warehouse.writeTogether([], { reader, next: first }, signal)
    if (to <= first) continue
    for await (const fetched of log.read(stream.inflow, { partition, from: first, to, joined: true })) {
      signal.throwIfAborted()
      const told = standing(fact, (await changes.read(fetched, Infinity)).columns)
      const keyAt = textsOf(columnOf(told, '_key', 'text'))
      const seqs = columnOf(told, '_seq', 'int').values
      const stands = columnOf(told, '_stands', 'flag').values
      for (let row = 0; row < told.count; row++) {
        const [key, seq] = [keyAt(row)!, seqs[row]!]
        if (stands[row] === 1) stand.set(key, Math.max(seq, stand.get(key) ?? 0))
        else if ((stand.get(key) ?? 0) < seq) stand.delete(key)
      }
      await warehouse.writeFacts(standsAs(stream), [told], undefined, signal)
    }
  }
  return { fact: stream.name, facts: stand.size, removed: await removeOthers(ports, stream, stand, signal) }
}

/** Of a later number is what the sink has brought meanwhile, or nothing that anybody was told of. */
async function removeOthers(
  { warehouse }: SinkPorts,
  stream: Stream,
  stand: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<number> {
  let last = 0
  for (const seq of stand.values()) last = Math.max(last, seq)
  let removed = 0
  for await (const part of warehouse.facts(standsAs(stream))) {
    const keyAt = textsOf(columnOf(part, '_key', 'text'))
    const seqs = columnOf(part, '_seq', 'int').values
    const others = Int32Array.from(seqs.keys()).filter((row) => !stand.has(keyAt(row)!) && seqs[row]! <= last)
    if (others.length === 0) continue
    const byName = new Map<string, Column>([
      ...[...part.byName].filter(([name]) => name !== '_stands'),
      ['_stands', { kind: 'flag', values: new Uint8Array(part.count) }],
    ])
    await warehouse.writeFacts(standsAs(stream), [pick({ count: part.count, byName }, others)], undefined, signal)
    removed += others.length
  }
  return removed
}
