/** Messages of others, as `ingest` reads them: events in JSON, and changes of a database in Debezium's envelope and flattened. */
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { ForeignSource } from '../schemas/foreign/source.ts'
import { envelope, event, flat, invoices, messagesOf, payment } from './foreign-messages.ts'
import { paced, runNamedCase, type Paced } from './paced.ts'

const batches = 10
const perBatch = 20_000

const decoding = (source: ForeignSource, valueOf: (i: number) => object) => async (): Promise<Paced> => {
  const all = Array.from({ length: batches }, (_, batch) => messagesOf(valueOf, batch * perBatch, perBatch))
  const decode = foreignDecoder(source, undefined)
  return paced(async () => {
    let rows = 0
    for (const messages of all) rows += (await decode(messages)).rows.count
    return rows
  })
}

const cases = new Map([
  ['events in JSON → columns', decoding({ ...event, key: null, format: 'json' }, payment)],
  ['changes in an envelope of 900 bytes → columns and origins', decoding({ ...invoices, format: 'debezium' }, envelope)],
  ['changes, flattened → columns and origins', decoding({ ...invoices, format: 'debezium' }, flat)],
])

export const foreignCases = [...cases.keys()]

if (import.meta.main) await runNamedCase(cases)
