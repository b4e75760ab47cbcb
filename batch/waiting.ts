/** What waits in inflow for a set: the truth of it is inflow itself, whoever wrote there. */
import type { Position } from '../streams/position.ts'
import { recordedIn } from '../streams/held.ts'
import { inflowReader } from '../streams/inflow.ts'
import { intakeOf } from '../streams/intake.ts'
import { streamOf } from '../streams/stream.ts'
import type { RecordSchema } from '../schemas/record.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Registry } from '../utilities/registry.ts'

type WaitingPorts = { readonly log: Log; readonly registry: Registry; readonly checkpoints: Checkpoints }

/** The number of the next record that the stream will take on the partition, by any of these; Infinity when none waits. */
export async function firstWaiting(
  ports: WaitingPorts,
  records: readonly RecordSchema[],
  partition: number,
  { offset, seq }: Position,
): Promise<number> {
  const { log, registry, checkpoints } = ports
  // All are of one name.
  const stream = streamOf(records[0]!)
  const ends = (await log.topics()).find(({ topic }) => topic === stream.inflow)?.partitions[partition]
  const from = Math.max(offset, ends?.first ?? 0)
  if (!ends || from >= ends.next) return Infinity
  const readers = await Promise.all(records.map((record) => inflowReader(registry, record, [], recordedIn(checkpoints, stream))))
  for await (const fetched of log.read(stream.inflow, { partition, from, to: ends.next, joined: true })) {
    const { records: count, firstSeq } = intakeOf(await Promise.all(readers.map((reader) => reader.read(fetched, Infinity))), seq)
    if (count > 0) return firstSeq
  }
  return Infinity
}
