/**
 * Records that wait as the checkpoints keep them: when each came, what dead letters tell of it, and the columns that its event is made of,
 * whatever the record is like by then.
 */
import { avroType, type AvroSchema, type AvroField } from '../schemas/avro/schema.ts'
import { decoder } from '../schemas/avro/decode.ts'
import { encoder } from '../schemas/avro/encode.ts'
import type { EventSchema } from '../schemas/event.ts'
import { columnsNeeded } from '../schemas/joined.ts'
import { message } from '../streams/dead.ts'
import type { Messages } from '../utilities/feed.ts'
import { columnOf, pick, type Column, type Columns } from '../utilities/values/columns.ts'
import { textsFrom } from '../utilities/sql/cells.ts'

/** Records as they came, with every field, those made by expressions too. */
export type Arrived = {
  readonly records: Columns
  /** When each became known, in nanoseconds. */
  readonly known: BigInt64Array
  /** Where they came from: nowhere that has a name, where the topic is null. */
  readonly topic: string | null
  readonly partition: number
  readonly messages: Pick<Messages, 'offsets' | 'values'>
  /** The message of each record. */
  readonly of: Int32Array
}

/** What a dead letter tells of a record. */
export type CameFrom = {
  readonly topic: string | null
  readonly partition: number
  readonly offset: number
  readonly bytes: Uint8Array
}

export type Kept = {
  /** The columns that the event is made of. */
  readonly records: Columns
  /** In milliseconds since 1970. */
  readonly came: Float64Array
  readonly known: BigInt64Array
  readonly from: (row: number) => CameFrom
}

export function cameFrom({ topic, partition, messages: { offsets, values }, of }: Arrived, row: number): CameFrom {
  const at = of[row]!
  const [start, end] = [values.starts[at]!, values.ends[at]!]
  return {
    topic,
    partition,
    offset: offsets[at]!,
    bytes: start < 0 ? new Uint8Array(0) : new Uint8Array(values.bytes.subarray(start, end)),
  }
}

/** Entries are read by nobody else: they name no schema of the registry. */
const nobody = '00000000-0000-0000-0000-000000000000'

export function waitingEntries(event: EventSchema) {
  const schema = schemaOf(event)
  const encode = encoder(schema, nobody)
  const decode = decoder(schema)
  return {
    /** Of these rows. */
    write(arrived: Arrived, rows: Int32Array, nowMs: number): readonly Uint8Array[] {
      const { topic, partition, messages, of } = arrived
      const { byName } = pick(arrived.records, rows)
      const at = Array.from(rows, (row) => of[row]!)
      const { bytes, starts, ends } = messages.values
      // A message of no bytes is an empty one here.
      const values = {
        starts: Int32Array.from(at, (one) => Math.max(0, starts[one]!)),
        ends: Int32Array.from(at, (one) => Math.max(0, ends[one]!)),
      }
      const count = rows.length
      const batch = encode({
        count,
        byName: new Map<string, Column>([
          ...byName,
          ['_came', { kind: 'long', values: new BigInt64Array(count).fill(BigInt(Math.round(nowMs))) }],
          ['_known', { kind: 'long', values: BigInt64Array.from(rows, (row) => arrived.known[row]!) }],
          ['_topic', textsFrom(Array(count).fill(topic))],
          ['_partition', { kind: 'int', values: new Float64Array(count).fill(partition) }],
          ['_offset', { kind: 'long', values: BigInt64Array.from(at, (one) => BigInt(messages.offsets[one]!)) }],
          ['_value', { kind: 'text', bytes, ...values }],
        ]),
      })
      // Its own bytes, so that a batch does not stay as long as one of its records waits.
      return Array.from(rows, (_, i) => new Uint8Array(message(batch, i)))
    },

    /** Of those that can be read, by their places among the entries. */
    read(values: readonly Uint8Array[]): { readonly kept: Kept; readonly places: Int32Array } {
      let end = 0
      const ends = Uint32Array.from(values, ({ length }) => (end += length))
      const { columns, rows } = decode({ bytes: Buffer.concat(values), ends }, 0, values.length)
      const [topics, bytes] = [columnOf(columns, '_topic', 'text'), columnOf(columns, '_value', 'text')]
      const partitions = columnOf(columns, '_partition', 'int').values
      const offsets = columnOf(columns, '_offset', 'long').values
      const textAt = ({ bytes: all, starts, ends: stops }: typeof topics, row: number) =>
        starts[row]! < 0 ? null : new Uint8Array(all.subarray(starts[row]!, stops[row]!))
      const from = (row: number): CameFrom => {
        const topic = textAt(topics, row)
        return {
          topic: topic && Buffer.from(topic).toString(),
          partition: partitions[row]!,
          offset: Number(offsets[row]!),
          bytes: textAt(bytes, row)!,
        }
      }
      const came = Float64Array.from(columnOf(columns, '_came', 'long').values, Number)
      return { kept: { records: columns, came, known: columnOf(columns, '_known', 'long').values, from }, places: rows }
    },
  }
}

/** A record that grows has more fields, or longer ones, and an event is made of the same columns as before, of the same kinds. */
function schemaOf(event: EventSchema): AvroSchema {
  const { of, join } = event.event
  const own = [...columnsNeeded(event), ...Object.values(join).flatMap(({ on }) => on)].filter((name) => Object.hasOwn(of.fields, name))
  return {
    type: 'record',
    name: `${event.name}_waiting`,
    fields: [
      { name: '_came', type: 'long' },
      { name: '_known', type: 'long' },
      { name: '_topic', type: ['null', 'string'], default: null },
      { name: '_partition', type: 'int' },
      { name: '_offset', type: 'long' },
      { name: '_value', type: 'bytes' },
      ...[...new Set(own)].toSorted().map((name): AvroField => {
        const field = of.fields[name]!
        const type = avroType(field.kind === 'decimal' ? { ...field, digits: 38 } : field)
        return { name, type: ['null', type], default: null }
      }),
    ],
  }
}
