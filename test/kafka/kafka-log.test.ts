/** The Kafka log and its checkpoints against their contracts, on a real broker. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaCheckpoints } from '../../utilities/checkpoint/kafka-checkpoints.ts'
import { openKafkaLog, type KafkaLogOptions } from '../../utilities/log/kafka-log.ts'
import { checkpointContract } from '../contracts/checkpoint-contract.ts'
import { logContract } from '../contracts/log-contract.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'

const missing = missingForKafka()
let kafka: TestKafka
let stores = 0

const newStore = async (options: Partial<KafkaLogOptions> = {}) => {
  const topicPrefix = `t${++stores}.`
  const log = () => openKafkaLog({ brokers: kafka.brokers, topicPrefix, checkpointPartitions: 2, ...options })
  const opened: { close(): Promise<void> }[] = []
  return {
    log,
    async checkpoints() {
      const own = await log()
      opened.push(own)
      return openKafkaCheckpoints(own)
    },
    dispose: async () => void (await Promise.all(opened.map((one) => one.close()))),
  }
}

beforeAll(async () => {
  kafka = await startKafka()
}, 600_000)
afterAll(() => kafka?.stop())

logContract('kafka', newStore, { 'offsets are contiguous from 0': 'the end of each transaction takes an offset' })
checkpointContract('kafka', newStore)
