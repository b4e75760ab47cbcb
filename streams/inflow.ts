/** Reads batches of inflow as records, whatever schema or framing they came in, told apart from what cannot be read. */
import { inflowSchema, recordOf, type AvroType } from '../schemas/avro/schema.ts'
import { decoder } from '../schemas/avro/decode.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { runsOfId } from '../schemas/wire.ts'
import { columnOf, pick, type Columns } from '../utilities/values/columns.ts'
import type { Batch, Fetched } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import { deadAt, offsetOf, type Dead } from './dead.ts'
import { rewriter } from './rewriter.ts'
import { strangers, type Recorded } from './strangers.ts'
import { streamOf } from './stream.ts'

/** What a reader makes of a batch: its records, duplicates among them, and what it cannot read. */
export type Reading = {
  /** Plain frames of the reader's own schema. */
  readonly batch: Batch
  /** The message of each record, in order. */
  readonly rows: Int32Array
  /** `_seq` and the wanted fields of exactly those. */
  readonly columns: Columns
  readonly dead: readonly Dead[]
}

export type InflowReader = {
  /** Of the schema that it reads messages as. */
  readonly id: string
  /** A record whose message has more bytes than `most`, its key included, is none. */
  read(fetched: Fetched, most: number): Promise<Reading>
}

/** The inflow schema of the record, registered if nobody has yet. */
export const registerInflow = (registry: Registry, record: RecordSchema) =>
  registry.register(streamOf(record).name, JSON.stringify(inflowSchema(record)))

/** Reads messages of any schema that the record's can be read from. What is `recorded` tells strangers. */
export async function inflowReader(
  registry: Registry,
  record: RecordSchema,
  wanted: readonly string[],
  recorded?: Recorded,
): Promise<InflowReader> {
  const own = await registerInflow(registry, record)
  const { outflow } = streamOf(record)
  const schema = inflowSchema(record)
  const decode = decoder(schema, ['seq', ...wanted])
  const toOwn = rewriter(registry, record, own)

  return {
    id: own.id,
    async read(fetched, most) {
      const runs = runsOfId(fetched.batch)
      const plain = runs.length === 1 && runs[0]!.id === own.id && runs[0]!.compression === 'none'
      const { batch, dead } = plain ? { batch: fetched.batch, dead: [] } : await toOwn(fetched)
      const { columns, rows, bad } = decode(batch, 0, batch.ends.length)
      const known = new Set(dead.map(({ index }) => index))
      const unread = bad.filter(({ index }) => !known.has(index)).map(({ index, reason }) => deadAt(fetched, index, reason))
      const reading = { batch, rows, columns, dead: [...dead, ...unread] }
      return withoutStrangers(small(reading, fetched, { most, outflow }), fetched, recorded)
    },
  }
}

/** The readers of these schemas, for their records' `_seq` alone. */
export const readersOf = async (registry: Registry, ids: readonly string[], recorded?: Recorded): Promise<readonly InflowReader[]> =>
  Promise.all((await recordsOf(registry, ids)).map((record) => inflowReader(registry, record, [], recorded)))

/** The records that were registered under these ids. */
export const recordsOf = (registry: Registry, ids: readonly string[]): Promise<readonly RecordSchema[]> =>
  Promise.all(
    ids.map(async (id) => {
      const registered = await registry.find(id)
      if (!registered) throw new Problem(`the registry holds no schema ${id}, which records were read by`, 'Put it back from a copy.')
      return recordOf(JSON.parse(registered.definition) as AvroType)
    }),
  )

/** Without the records that are too large: a row of one would not fit where it is to go. */
function small(reading: Reading, fetched: Fetched, { most, outflow }: { readonly most: number; readonly outflow: string }): Reading {
  if (most === Infinity) return reading
  const { batch, rows, columns, dead } = reading
  const { ends, keys } = batch
  const size = (index: number) => ends[index]! - (index === 0 ? 0 : ends[index - 1]!) + (keys ? Buffer.byteLength(keys[index]!) : 0)
  const large = rows.filter((index) => size(index) > most)
  if (large.length === 0) return reading
  const kept = Int32Array.from(rows.keys()).filter((row) => size(rows[row]!) <= most)
  const why = (index: number) =>
    `it has ${size(index)} bytes, and a row of more than ${most}, without its features, does not fit into ${outflow}`
  const left = Array.from(large, (index) => deadAt(fetched, index, why(index)))
  return { batch, rows: kept.map((row) => rows[row]!), columns: pick(columns, kept), dead: [...dead, ...left] }
}

/** Without what looks like a record under a number that cannot be right. */
async function withoutStrangers(reading: Reading, fetched: Fetched, recorded: Recorded | undefined): Promise<Reading> {
  const { batch, rows, columns, dead } = reading
  const odd = await strangers(columnOf(columns, '_seq', 'int').values, (row) => offsetOf(fetched, rows[row]!), recorded)
  if (odd.size === 0) return reading
  const kept = Int32Array.from(rows.keys()).filter((row) => !odd.has(row))
  const left = [...odd].map(([row, reason]): Dead => ({ ...deadAt(fetched, rows[row]!, reason), unrecorded: true }))
  return { batch, rows: kept.map((row) => rows[row]!), columns: pick(columns, kept), dead: [...dead, ...left] }
}
