/**
 * Where versions of a set begin in a stream: at its start or, where others were computed over an earlier version of the fact, behind what
 * the stream holds, which is their history then.
 */
import { inflowReader } from '../streams/inflow.ts'
import { intakeOf } from '../streams/intake.ts'
import { extendHistory, partitionsApplied, savePosition, start, writerName, type Mode, type Position } from '../streams/position.ts'
import { ownerOf, streamOf } from '../streams/stream.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { wholeAt, type Column } from '../utilities/values/columns.ts'
import { isNullAt } from '../utilities/values/nulls.ts'
import type { VersionPorts } from './bring.ts'

type Beginning = { readonly definition: Definition; readonly partitions: number; readonly mode: Mode; readonly signal: AbortSignal }

/** From here on it is known on how many partitions the set runs: keys stay where they are. */
export async function beginInStream(ports: VersionPorts, { definition, partitions, mode, signal }: Beginning): Promise<void> {
  const { log, checkpoints } = ports
  const owner = ownerOf(definition)
  if ((await partitionsApplied(checkpoints, owner)) > 0) return
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const positions = mode === 'first' ? all.map(() => start) : await Promise.all(all.map((one) => behindAll(ports, definition, one, signal)))
  const writer = await log.writer(writerName(owner, 0))
  const save = positions.map((position, partition) => savePosition(owner, partition, position))
  await writer.commit({ save }).finally(() => writer.close())
}

/** As a consumer that has taken all that the partition holds. */
async function behindAll(
  { log, registry }: VersionPorts,
  { record }: Definition,
  partition: number,
  signal: AbortSignal,
): Promise<Position> {
  const { inflow } = streamOf(record)
  const ends = (await log.topics()).find(({ topic }) => topic === inflow)?.partitions[partition]
  if (!ends) return start
  const reader = await inflowReader(registry, record, [])
  let position: Position = { ...start, offset: ends.first }
  for await (const fetched of log.read(inflow, { partition, from: ends.first, to: ends.next, joined: true })) {
    signal.throwIfAborted()
    const { taken, records, firstSeq, lastSeq, duplicates, dead } = intakeOf([await reader.read(fetched, Infinity)], position.seq)
    const tick = lastTick(taken[0]!.columns.byName.get('tick'), records) ?? position.tick
    const piece = {
      kind: 'inflow',
      from: position.offset,
      to: fetched.next,
      firstSeq,
      lastSeq,
      rows: records,
      readers: [reader.id],
    } as const
    position = {
      ...position,
      seq: lastSeq,
      offset: fetched.next,
      duplicates: position.duplicates + duplicates,
      dead: position.dead + dead.length,
      ...(tick !== undefined && { tick }),
      history: extendHistory(position.history, piece),
    }
  }
  return position
}

function lastTick(column: Column | undefined, count: number): number | undefined {
  if (column?.kind !== 'date' && column?.kind !== 'timestamp') return undefined
  const isNull = isNullAt(column)
  let last: number | undefined
  for (let row = 0; row < count; row++) {
    if (isNull(row)) continue
    const at = column.kind === 'date' ? column.days[row]! : Number(wholeAt(column, row))
    last = Math.max(at, last ?? at)
  }
  return last
}
