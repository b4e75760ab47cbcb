/** The messages of the benchmarks in Avro, with a number in front that names their schema, as Kafka Connect would write them. */
import { encodeObject } from '../schemas/avro/generic.ts'
import type { AvroSchema, AvroType } from '../schemas/avro/schema.ts'
import type { Messages } from '../utilities/feed.ts'
import { envelope, messagesOf, payment } from './foreign-messages.ts'

const orNull = (type: unknown) => ['null', type]
const decimal = (scale: number) => ({ type: 'bytes', logicalType: 'decimal', precision: 12, scale })
const fields = (types: { readonly [name: string]: unknown }) => Object.entries(types).map(([name, type]) => ({ name, type }))
const record = (name: string, types: { readonly [name: string]: unknown }) => ({ type: 'record', name, fields: fields(types) })

const event = record('Payment', {
  account_id: 'string',
  paid_at: { type: 'long', logicalType: 'timestamp-micros' },
  amount: decimal(2),
  invoice_id: 'long',
  method: orNull('string'),
})

const row = record('Value', {
  invoice_id: 'long',
  account_id: orNull('string'),
  date_issued: orNull({ type: 'int', 'connect.name': 'io.debezium.time.Date' }),
  amount: orNull(decimal(2)),
  changed_at: orNull({ type: 'long', 'connect.name': 'io.debezium.time.MicroTimestamp' }),
  note: orNull('string'),
})
const times = { ts_ms: orNull('long'), ts_us: orNull('long'), ts_ns: orNull('long') }
const texts = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 'string']))
const change = record('Envelope', {
  before: orNull(row),
  after: orNull('Value'),
  source: record('Source', {
    ...texts('version', 'connector', 'name', 'snapshot', 'db'),
    sequence: orNull('string'),
    ...times,
    ...texts('schema', 'table'),
    ...Object.fromEntries(['txId', 'lsn', 'xmin', 'origin_lsn'].map((name) => [name, orNull('long')])),
    origin: orNull('string'),
  }),
  transaction: orNull(record('Block', { id: 'string', total_order: 'long', data_collection_order: 'long' })),
  op: 'string',
  ...times,
})

/** Both schemas by their numbers. */
const schemas = [event, change]
export const avroSchemas = { find: async (id: string) => JSON.stringify(schemas[Number(id) - 1]) }
export const eventSchema = event as unknown as AvroSchema

const framed = (number: number, value: object) =>
  Buffer.concat([Buffer.of(0, 0, 0, 0, number), encodeObject(schemas[number - 1] as AvroType, value)])

const bytesOf = (cents: number) => Buffer.of((cents >> 16) & 255, (cents >> 8) & 255, cents & 255)
const avroPayment = (i: number) => {
  const { amount, paid_at, ...plain } = payment(i)
  return framed(1, { ...plain, amount: bytesOf(Math.round(amount * 100)), paid_at: Date.parse(paid_at) * 1000 })
}
const avroRow = <R extends { readonly amount: string }>(one: R) => ({ ...one, amount: Buffer.from(one.amount, 'base64') })
const avroEnvelope = (i: number) => {
  const { before, after, source, ts_ns, ...rest } = envelope(i)
  // Avro's long has digits that a double lacks.
  const exact = { source: { ...source, ts_ns: BigInt(source.ts_ns) }, ts_ns: BigInt(ts_ns) }
  return framed(2, { ...rest, ...exact, before: avroRow(before), after: avroRow(after) })
}

/** So many of them, from one on. */
export const paymentsInAvro = (from: number, count: number): Messages => inAvro(avroPayment, from, count)
export const changesInAvro = (from: number, count: number): Messages => inAvro(avroEnvelope, from, count)

function inAvro(valueOf: (i: number) => Buffer, from: number, count: number): Messages {
  const all = Array.from({ length: count }, (_, i) => valueOf(from + i))
  const ends = new Int32Array(count)
  let end = 0
  for (const [i, { length }] of all.entries()) ends[i] = end += length
  const values = { bytes: Buffer.concat(all), starts: ends.map((one, i) => one - all[i]!.length), ends }
  return { ...messagesOf(() => ({}), from, count), values }
}
