/** Records that come from topics: numbered on behind what their stream holds, and spread over its partitions by their key. */
import type { Per } from '../feature-defs/keys.ts'
import { encoder } from '../schemas/avro/encode.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { everyYear, type Take } from '../schemas/csv/selection.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { isFromTopics, latestOf, loadHeld, saveHeld, topicsName } from '../streams/held.ts'
import { registerInflow } from '../streams/inflow.ts'
import { ensureTopics, keyToSpreadBy, messageKeys, saveKeyedBy, spread } from '../streams/routing.ts'
import { producerName, streamOf, type Stream } from '../streams/stream.ts'
import { takenByBatches } from '../streams/taken.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Append, Log } from '../utilities/log.ts'
import type { Registered, Registry } from '../utilities/registry.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { RecordPlace } from './place.ts'

type Ports = { readonly log: Log; readonly checkpoints: Checkpoints; readonly registry: Registry }

export type NeededRecord = {
  readonly record: RecordSchema
  /** The keys of the sets over it, each once. */
  readonly pers: readonly Per[]
}

export type WritableRecord = {
  readonly stream: Stream
  readonly registered: Registered
  /** What is to be written of these behind a place, and the place after it; what holds it is saved with it. */
  append(rows: Columns, place: RecordPlace | undefined): Written
}

type Written = { readonly appends: readonly Append[]; readonly saves: readonly Save[]; readonly place: RecordPlace }

/** With so many partitions if its topics have to be made. Whoever produces from files into it is fenced first. */
export async function writableRecord(ports: Ports, { record, pers }: NeededRecord, wanted: number): Promise<WritableRecord> {
  const { log, checkpoints, registry } = ports
  const stream = streamOf(record)
  const partitions = (await log.partitions(stream.inflow)) || wanted
  const per = keyToSpreadBy(stream, partitions, pers, 'record')
  const registered = await registerInflow(registry, record)
  await ensureTopics(ports, stream, partitions)
  await (await log.writer(producerName(stream))).close()
  const held = (await loadHeld(checkpoints, stream)).filter((one) => !isFromTopics(one))
  const { takes, unfinished } = await takenByBatches({ registry, checkpoints }, stream)
  if (unfinished[0]) throw notFinished(unfinished[0].set, stream)
  const base = latestOf([...held, ...takes])
  const encode = encoder(inflowSchema(record), registered.id)
  return {
    stream,
    registered,
    append(rows, before) {
      const after = before?.seq ?? base
      const seq = new Float64Array(rows.count)
      for (let row = 0; row < seq.length; row++) seq[row] = after + row + 1
      const numbered: Columns = { count: rows.count, byName: new Map([['_seq', { kind: 'int', values: seq }], ...rows.byName]) }
      const appends = spread(numbered, { per, partitions }).map(({ partition, records, keys = messageKeys(records, per) }): Append => {
        return { topic: stream.inflow, partition, batch: { ...encode(records), ...(keys && { keys }) } }
      })
      const first = before?.first ?? after + 1
      const place = { first, seq: after + rows.count, messages: (before?.messages ?? 0) + rows.count }
      return { appends, saves: [saveHeld(stream, [...held, takeOf(place)]), saveKeyedBy(stream, per)], place }
    },
  }
}

const takeOf = ({ first, seq, messages }: RecordPlace): Take => ({
  source: { name: topicsName, size: 0, sha256: '' },
  base: first - 1,
  years: everyYear,
  after: first - 1,
  firstSeq: first,
  lastSeq: seq,
  rows: messages,
  rejected: 0,
})

const notFinished = (set: string, { inflow }: Stream) =>
  new Problem(
    `a backfill of ${set} has not finished, and how far its records reach is not known, so that none of a topic can go into ${inflow}`,
    'Let it finish, or run it again to finish it; then run this again.',
  )
