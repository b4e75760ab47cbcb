/** Serving as a process that is killed, beside a real Kafka with three partitions. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { freshFolder } from '../cli-run.ts'
import { generated, limitMs } from '../loan-folders.ts'
import { seed } from '../seeded.ts'
import { servedWhileKilled } from '../served-while-killed.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'

let kafka: TestKafka

function servingTests() {
  beforeAll(async () => void (kafka = await startKafka()), 600_000)
  afterAll(() => kafka?.stop())

  describe(`what services read beside three partitions of Kafka, seed ${seed}`, () => {
    it(
      'is in the end what the warehouse has, though serving and the consumer are killed while versions change',
      async () => {
        const loans = await generated(6_000, seed)
        const log = { kind: 'kafka', brokers: kafka.brokers, topicPrefix: 'serving.', partitions: 3, sessionTimeoutMs: 2000 }
        await servedWhileKilled(freshFolder(), log, loans)
      },
      4 * limitMs,
    )
  })
}

unlessMissing(missingForKafka(), servingTests)
