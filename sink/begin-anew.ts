/** What the sink forgets when the log that it read is gone. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { isFact } from '../schemas/fact.ts'
import { factsReader, sinkReader, standsAs, streamOf } from '../streams/stream.ts'
import type { Log } from '../utilities/log.ts'
import type { Progress, Warehouse } from '../utilities/warehouse.ts'

type Ports = { readonly log: Log; readonly warehouse: Warehouse }

/**
 * A log that was lost and begun anew has no outflow, or one that holds nothing yet: how far the sink had come in the one before is no place
 * in it, and facts that it told of are told of no more.
 */
export async function beginAnew(ports: Ports, { record }: Pick<Definition, 'record'>): Promise<void> {
  const stream = streamOf(record)
  for (const progress of await placesGone(ports, stream.outflow, (partition) => sinkReader(stream, partition)))
    await ports.warehouse.writeTogether([], progress)
  if (!isFact(record)) return
  const gone = await placesGone(ports, stream.inflow, (partition) => factsReader(stream, partition))
  if (gone.length > 0) await ports.warehouse.forgetFacts(standsAs(stream), gone)
}

async function placesGone({ log, warehouse }: Ports, topic: string, readerOf: (partition: number) => string): Promise<readonly Progress[]> {
  const partitions = (await log.topics()).find((one) => one.topic === topic)?.partitions ?? []
  const gone: Progress[] = []
  for (let partition = 0; ; partition++) {
    const reader = readerOf(partition)
    const place = await warehouse.progress(reader)
    if (place === undefined) return gone
    if (place > 0 && (partitions[partition]?.next ?? 0) === 0) gone.push({ reader, next: 0 })
  }
}
