/** Rows that are computed and lie in outflow, where the sink has still to write them: the warehouse need not have them yet. */
import { definitionOf } from '../feature-defs/row-schema.ts'
import { sinkReader, streamOf, type Stream } from '../streams/stream.ts'
import type { Known } from '../streams/known-versions.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { runsOfId } from '../schemas/wire.ts'
import { columnOf } from '../utilities/values/columns.ts'
import type { Batch, Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Warehouse } from '../utilities/warehouse.ts'

type Ports = { readonly log: Log; readonly warehouse: Warehouse }

/** The first message that the sink has still to write; undefined when there is no outflow. What was deleted is not to come. */
async function sinkPlace({ log, warehouse }: Ports, stream: Stream, partition: number): Promise<number | undefined> {
  const ends = (await log.topics()).find(({ topic }) => topic === stream.outflow)?.partitions[partition]
  return ends && Math.max(ends.first, (await warehouse.progress(sinkReader(stream, partition))) ?? 0)
}

type Messages = { readonly partition: number; readonly batch: Batch; readonly from: number; readonly to: number }

/** The messages with this schema, in all partitions of the stream. */
async function* messagesOnTheWay(ports: Ports, stream: Stream, id: string): AsyncGenerator<Messages> {
  for (let partition = 0; partition < (await ports.log.partitions(stream.outflow)); partition++) {
    const from = (await sinkPlace(ports, stream, partition))!
    for await (const { batch } of ports.log.read(stream.outflow, { partition, from, joined: true })) {
      for (const run of runsOfId(batch)) if (run.id === id) yield { partition, batch, from: run.from, to: run.to }
    }
  }
}

/** How many rows of the version that has this schema; none where the registry has lost it. */
export async function countOnTheWay(ports: Ports & { readonly registry: Registry }, id: string): Promise<number> {
  const registered = await ports.registry.find(id)
  const definition = registered && definitionOf(JSON.parse(registered.definition))
  if (!definition) return 0
  let count = 0
  for await (const { from, to } of messagesOnTheWay(ports, streamOf(definition.record), id)) count += to - from
  return count
}

/** Whether the row of this record is on its way from the partition: rows of a tick have one number in all of them. */
export type OnTheWay = (seq: number, partition: number) => boolean

/** Which rows of the version: kept as stretches of numbers, few where few numbers are left out. */
export async function onTheWay(ports: Ports, { definition, schema, registered }: Known): Promise<OnTheWay> {
  const decode = decoder(schema, ['seq'])
  const found = new Map<number, [first: number, last: number][]>()
  for await (const { partition, batch, from, to } of messagesOnTheWay(ports, streamOf(definition.record), registered.id)) {
    const stretches = found.get(partition) ?? []
    found.set(partition, stretches)
    for (const seq of columnOf(decode(batch, from, to).columns, '_seq', 'int').values) {
      const last = stretches.at(-1)
      if (last && (seq === last[1] || seq === last[1] + 1)) last[1] = seq
      else stretches.push([seq, seq])
    }
  }
  const ways = new Map([...found].map(([partition, stretches]) => [partition, within(stretches)]))
  return (seq, partition) => ways.get(partition)?.(seq) ?? false
}

function within(stretches: [first: number, last: number][]): (seq: number) => boolean {
  // What was computed again lies behind what comes later.
  const firsts = Float64Array.from(
    stretches.sort(([a], [b]) => a - b),
    ([first]) => first,
  )
  return (seq) => {
    let [low, high] = [0, firsts.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (firsts[middle]! <= seq) low = middle + 1
      else high = middle
    }
    return low > 0 && seq <= stretches[low - 1]![1]
  }
}
