/**
 * The producer's job with kafkajs's own producer, idempotent. It reads and encodes with Tidemark's own code, so that only the client
 * differs; it takes no checksum, keeps no list of what the topic holds, and has no transactions.
 */
import { Kafka, Partitioners, logLevel } from 'kafkajs'
import { inflowSchema } from '../../../schemas/avro/schema.ts'
import { readCsv } from '../../../schemas/csv/read.ts'
import { encoder } from '../../../schemas/avro/encode.ts'
import { rejectedLoan } from '../../../examples/loans/rejected-loan.ts'
import { fileSource } from '../../../utilities/files/source.ts'

const [brokers, topic, file, perSend] = process.argv.slice(2) as [string, string, string, string]
const size = Number(perSend)
const schemaId = '00000000-0000-0000-0000-000000000001'

const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, createPartitioner: Partitioners.DefaultPartitioner })
await producer.connect()
const encode = encoder(inflowSchema(rejectedLoan), schemaId)
for await (const { columns } of readCsv(rejectedLoan, fileSource(file).read(), { place: file })) {
  const { bytes, ends } = encode(columns)
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let from = 0; from < ends.length; from += size) {
    const messages = Array.from(ends.subarray(from, from + size), (end, i) => ({
      partition: 0,
      value: whole.subarray(from + i === 0 ? 0 : ends[from + i - 1]!, end),
    }))
    await producer.send({ topic, messages })
  }
}
await producer.disconnect()
