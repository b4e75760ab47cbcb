/** Reads batches of inflow as records: whatever schema or framing they came in, told apart from duplicates and from what cannot be read. */
import { inflowSchema } from '../schemas/avro.ts'
import { decoder } from '../schemas/decode.ts'
import { parseSchema, resolveTo } from '../schemas/generic.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { frameHeader, readFrame, runsOfId } from '../schemas/wire.ts'
import { columnOf, pick, type Columns } from '../utilities/columns.ts'
import type { Batch, Fetched } from '../utilities/log/log.ts'
import type { Registered, Registry } from '../utilities/registry/registry.ts'
import { joinSpans, type Span } from './checkpoint.ts'
import { strangers, type Recorded } from './strangers.ts'

/** A message that is not a record: where it stood and why. */
export type Dead = { readonly offset: number; readonly reason: string; readonly bytes: Uint8Array }

export type Intake = {
  /** Plain frames of the reader's own schema: `rows` says which messages are new records. */
  readonly batch: Batch
  readonly rows: Int32Array
  readonly seq: Float64Array
  /** The wanted fields of exactly those rows. */
  readonly columns: Columns
  readonly duplicates: number
  readonly dead: readonly Dead[]
  /** Where those of the dead stood that look like records, but no producer has recorded them. */
  readonly unrecorded: readonly Span[]
}

export const inflowTopic = 'inflow'
export const deadTopic = 'inflow.dead'
export const outflowTopic = 'outflow'
/** Whoever holds it may write into inflow and say what it holds. */
export const producerName = `produce/${inflowTopic}`

/** The name under which the sink of a partition saves its progress. */
export const sinkReader = (partition: number) => `sink/${outflowTopic}/${partition}`

/** The inflow schema of the record, registered if nobody has yet. */
export const registerInflow = (registry: Registry, record: RecordSchema) => registry.register(record.name, JSON.stringify(inflowSchema(record)))

/** Takes what lies behind `afterSeq` in a fetched batch; a record at or before it, or before one already taken, is a duplicate. What is `recorded` tells strangers. */
export async function inflowReader(registry: Registry, record: RecordSchema, wanted: readonly string[], recorded?: Recorded) {
  const own = await registerInflow(registry, record)
  const schema = inflowSchema(record)
  const decode = decoder(schema, ['seq', ...wanted])
  const toOwn = rewriter(registry, own.id, own.definition)

  return async (fetched: Fetched, afterSeq: number): Promise<Intake> => {
    const runs = runsOfId(fetched.batch)
    const plain = runs.length === 1 && runs[0]!.id === own.id && runs[0]!.compression === 'none'
    const { batch, dead } = plain ? { batch: fetched.batch, dead: [] } : await toOwn(fetched)
    const { columns, rows, bad } = decode(batch, 0, batch.ends.length)
    const unread = bad.map(({ index, reason }) => ({ offset: offsetOf(fetched, index), reason, bytes: message(batch, index) }))
    const numbers = columnOf(columns, '_seq', 'int').values
    const odd = await strangers(numbers, (row) => offsetOf(fetched, rows[row]!), recorded)
    const fresh = freshRows(numbers, afterSeq, odd)
    const taken = fresh.length === columns.count ? columns : pick(columns, fresh)
    return {
      batch,
      rows: fresh.length === columns.count ? rows : Int32Array.from(fresh, (row) => rows[row]!),
      seq: columnOf(taken, '_seq', 'int').values,
      columns: taken,
      duplicates: columns.count - fresh.length - odd.size,
      dead: [
        ...dead,
        ...unread.filter(({ offset }) => !dead.some((one) => one.offset === offset)),
        ...[...odd].map(([row, reason]) => ({ offset: offsetOf(fetched, rows[row]!), reason, bytes: message(fetched.batch, rows[row]!) })),
      ],
      unrecorded: joinSpans([...odd.keys()].map((row) => [offsetOf(fetched, rows[row]!), offsetOf(fetched, rows[row]!) + 1])),
    }
  }
}

function freshRows(seq: Float64Array, afterSeq: number, odd: ReadonlyMap<number, unknown>): Int32Array {
  const fresh = new Int32Array(seq.length)
  let taken = 0
  let latest = afterSeq
  for (let row = 0; row < seq.length; row++) {
    if (seq[row]! > latest && !(odd.size > 0 && odd.has(row))) {
      latest = seq[row]!
      fresh[taken++] = row
    }
  }
  return fresh.subarray(0, taken)
}

const offsetOf = ({ offset, offsets }: Fetched, index: number) => offsets?.[index] ?? offset + index

export const message = ({ bytes, ends }: Batch, index: number): Uint8Array => bytes.subarray(index === 0 ? 0 : ends[index - 1]!, ends[index]!)

/** The slow road, for other writers: every message is brought into the reader's schema, plainly framed; what cannot be stays empty and is dead. */
function rewriter(registry: Registry, ownId: string, ownDefinition: string) {
  const header = frameHeader(ownId)
  const reader = parseSchema(ownDefinition)
  const roads = new Map<string, (payload: Uint8Array) => Uint8Array>()

  const roadFrom = (id: string, registered: Registered | undefined) => {
    const known = roads.get(id)
    if (known) return known
    if (!registered) throw new Error(`schema version ${id} is not in the registry`)
    const road = id === ownId ? (payload: Uint8Array) => payload : resolveTo(parseSchema(registered.definition), reader)
    roads.set(id, road)
    return road
  }

  return async (fetched: Fetched): Promise<{ batch: Batch; dead: Dead[] }> => {
    const { batch } = fetched
    const dead: Dead[] = []
    const parts: Uint8Array[] = []
    const ends = new Uint32Array(batch.ends.length)
    let end = 0
    for (let index = 0; index < ends.length; index++) {
      const bytes = message(batch, index)
      const frame = readFrame(bytes, 0, bytes.length)
      // A registry that cannot be asked is no fault of the message: that is thrown, and the message is not dead.
      const registered = frame.ok && !roads.has(frame.id) ? await registry.find(frame.id) : undefined
      try {
        if (!frame.ok) throw new Error(frame.reason)
        const payload = roadFrom(frame.id, registered)(frame.payload)
        parts.push(header, payload)
        end += header.length + payload.length
      } catch (error) {
        dead.push({ offset: offsetOf(fetched, index), reason: (error as Error).message, bytes })
      }
      ends[index] = end
    }
    return { batch: { bytes: Buffer.concat(parts), ends }, dead }
  }
}
