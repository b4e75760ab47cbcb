/**
 * The loan job by hand with kafkajs, as fast as its public interface goes: by the batch, one transaction for each, offsets inside; features
 * in memory only.
 */
import { Partitioners } from 'kafkajs'
import { ringFeatures } from './features.ts'
import { decode, encode, inflow, kafka, name, outflow } from './words.ts'

/** One send is one record batch, and a broker takes 1 MiB; grouping within a send also takes time that grows with its square. */
const messagesPerSend = 1000

const producer = kafka.producer({
  transactionalId: name,
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: Partitioners.DefaultPartitioner,
  // The coordinator answers a new transaction with "not yet" for a moment after the last: asking again soon is faster than waiting 300 ms.
  retry: { initialRetryTime: 5, factor: 0, multiplier: 1.3, retries: 50 },
})
const consumer = kafka.consumer({ groupId: name, readUncommitted: false, maxBytesPerPartition: 4 * 1024 * 1024, maxWaitTimeInMs: 100 })
const features = ringFeatures()

await producer.connect()
await consumer.connect()
await consumer.subscribe({ topic: inflow, fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
    const messages = batch.messages.map(({ value }) => {
      const loan = decode(value!)
      return { partition: 0, value: encode(Object.assign(loan, features(loan.risk_score))) }
    })
    const last = batch.messages.at(-1)
    if (!last) return
    const transaction = await producer.transaction()
    for (let from = 0; from < messages.length; from += messagesPerSend) {
      await transaction.send({ topic: outflow, messages: messages.slice(from, from + messagesPerSend) })
    }
    const offset = String(BigInt(last.offset) + 1n)
    await transaction.sendOffsets({ consumerGroupId: name, topics: [{ topic: inflow, partitions: [{ partition: 0, offset }] }] })
    await transaction.commit()
    resolveOffset(last.offset)
    await heartbeat()
  },
})

process.once('SIGTERM', async () => {
  await consumer.disconnect()
  await producer.disconnect()
  process.exit(0)
})
