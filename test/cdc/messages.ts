/** What Debezium has sent, as a plain consumer reads it: no code of ours reads from Kafka here. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka } from 'kafkajs'
import { asAdmin } from '../kafka/stores.ts'

/** A change, a transaction's mark, or null: a tombstone. */
// oxlint-disable-next-line typescript/no-explicit-any
type Sent = any

/** All that is committed in a topic so far, or as much as is enough. */
export async function sentUntil(brokers: readonly string[], topic: string, isEnough: (sent: readonly Sent[]) => boolean) {
  const sent: Sent[] = []
  // It is made with its first message.
  await asAdmin(brokers, async (admin) => {
    while (!(await admin.listTopics()).includes(topic)) await sleep(50)
  })
  const consumer = new Kafka({ brokers: [...brokers], logLevel: 0 }).consumer({ groupId: randomUUID(), maxWaitTimeInMs: 100 })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => void sent.push(message.value && JSON.parse(String(message.value))),
    })
    for (const deadline = Date.now() + 30_000; !isEnough(sent); await sleep(50))
      if (Date.now() > deadline) throw new Error(`${topic} has only ${sent.map((one) => JSON.stringify(one)).join('\n')}`)
    return [...sent]
  } finally {
    await consumer.disconnect()
  }
}
