/**
 * Messages of others, as `ingest` reads them, in JSON and in Avro: events, and changes of a database in Debezium's envelope and flattened.
 */
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import type { Messages } from '../utilities/feed.ts'
import { avroSchemas, changesInAvro, paymentsInAvro } from './foreign-avro-messages.ts'
import { envelope, event, flat, invoices, messagesOf, payment } from './foreign-messages.ts'
import { paced, runNamedCase, type Paced } from './paced.ts'

const batches = 10
const perBatch = 20_000

const inJson = (valueOf: (i: number) => object) => (from: number, count: number) => messagesOf(valueOf, from, count)

const decoding = (source: ForeignSource, batchOf: (from: number, count: number) => Messages) => async (): Promise<Paced> => {
  const all = Array.from({ length: batches }, (_, batch) => batchOf(batch * perBatch, perBatch))
  const decode = foreignDecoder(source, avroSchemas)
  return paced(async () => {
    let rows = 0
    for (const messages of all) rows += (await decode(messages)).rows.count
    return rows
  })
}

const cases = new Map([
  ['events in JSON → columns', decoding({ ...event, key: null, format: 'json' }, inJson(payment))],
  ['changes in an envelope of 900 bytes → columns and origins', decoding({ ...invoices, format: 'debezium' }, inJson(envelope))],
  ['changes, flattened → columns and origins', decoding({ ...invoices, format: 'debezium' }, inJson(flat))],
  ['events in Avro → columns', decoding({ ...event, key: null, format: 'avro' }, paymentsInAvro)],
  ['changes in an envelope in Avro → columns and origins', decoding({ ...invoices, format: 'debezium' }, changesInAvro)],
])

export const foreignCases = [...cases.keys()]

if (import.meta.main) await runNamedCase(cases)
