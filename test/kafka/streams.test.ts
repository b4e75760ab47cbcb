/** Three records in one store on a real Kafka: each with topics and partitions of its own, shared by whoever consumes and sinks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, type Printed } from '../cli-run.ts'
import { limitMs } from '../loan-folders.ts'
import { expectOracle, own, tellThree, type Told } from '../three-streams.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { settingsOf } from './stores.ts'

function streamTests() {
  let kafka: TestKafka
  beforeAll(async () => void (kafka = await startKafka()), 600_000)
  afterAll(() => kafka?.stop())

  describe('three records in one store on Kafka', { timeout: limitMs }, () => {
    let folder: string
    let told: readonly Told[]

    beforeAll(async () => {
      const log = { kind: 'kafka', brokers: kafka.brokers, topicPrefix: 'three.', sessionTimeoutMs: 2000 }
      ;({ folder, told } = await tellThree(log))
    }, 2 * limitMs)

    it('each equal their oracle through three versions on partitions of their own, and a kill in between', () => expectOracle(folder, told))

    it('are kept for ever, each in topics of its own', async () => {
      const topics: Printed[] = await json(folder, `topics ${own}`)
      expect(new Set(topics.map(({ topic }) => topic))).toEqual(
        new Set(['', '.click', '.payment'].flatMap((suffix) => [`inflow${suffix}`, `inflow${suffix}.dead`, `outflow${suffix}`])),
      )
      for (const topic of ['inflow.click', 'outflow.click', 'inflow.payment.dead'])
        expect(await settingsOf(kafka.brokers, `three.${topic}`)).toMatchObject({ 'retention.ms': '-1', 'retention.bytes': '-1' })
      const { streams }: Printed = await json(folder, `status ${own}`)
      expect(streams.map(({ record, sink }: Printed) => [record, sink.lag])).toEqual([
        ['rejected_loan', 0],
        ['click', 0],
        ['payment', 0],
      ])
    })
  })
}

unlessMissing(missingForKafka(), streamTests)
