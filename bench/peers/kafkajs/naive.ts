/**
 * The loan job with kafkajs as it is usually written: a message at a time, sent in groups of so many, features by slice and reduce. At
 * least once.
 */
import { Partitioners, type Message } from 'kafkajs'
import { simpleFeatures } from './features.ts'
import { decode, encode, inflow, kafka, more, name, outflow } from './words.ts'

const [perSend, rows] = more.map(Number) as [number, number]
const flushMs = 100

const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
const consumer = kafka.consumer({ groupId: name, maxWaitTimeInMs: 100 })
const features = simpleFeatures()
let waiting: Message[] = []
let taken = 0

async function flush(): Promise<void> {
  const messages = waiting
  waiting = []
  if (messages.length > 0) await producer.send({ topic: outflow, messages })
}

await producer.connect()
await consumer.connect()
await consumer.subscribe({ topic: inflow, fromBeginning: true })
if (perSend > 1) setInterval(() => void flush(), flushMs)
await consumer.run({
  eachMessage: async ({ message }) => {
    if (taken++ >= rows) return
    const loan = decode(message.value!)
    waiting.push({ value: encode({ ...loan, ...features(loan.risk_score) }) })
    if (waiting.length >= perSend) await flush()
  },
})

process.once('SIGTERM', async () => {
  // What it would go on to read is not wanted, and disconnecting would wait for it.
  await flush()
  process.exit(0)
})
