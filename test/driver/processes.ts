/** The same lives with real processes and signals at any moment, on the embedded log and on a real Kafka: npm run test:long. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingForKafka, startKafka, type TestKafka } from '../kafka/broker.ts'
import { unlessMissing } from '../unless-missing.ts'
import { storeInProcesses, type LogConfig } from './in-processes.ts'
import { lifeOf } from './lives.ts'

const from = Number(process.env['TIDEMARK_SEED'])
const count = Number(process.env['TIDEMARK_LIVES'])
const seeds = Array.from({ length: count }, (_, i) => from + i)

/** Two at a time: most of what processes do is wait for one another. */
async function livesOn(name: string, some: readonly number[], log: (seed: number) => LogConfig) {
  const wrong: string[] = []
  const left = [...some]
  const worker = async () => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      const told = await lifeOf(seed, (set, partitions, text) => storeInProcesses(set, partitions, text, log(seed!)), { tries: 0 })
      if (told) wrong.push(told)
      console.log(`${name}, seed ${seed}: ${told ?? 'as it should be'}`)
    }
  }
  await Promise.all([worker(), worker()])
  console.log(`${name}: ${some.length} lives of seeds ${some[0]} to ${some.at(-1)}, ${wrong.length} of them wrong`)
  expect(wrong.join('\n')).toBe('')
}

describe('lives by chance, with real processes', () => {
  it(
    'are what the model says on the embedded log, whatever is killed or stopped at whichever moment',
    async () => {
      await livesOn(
        'embedded',
        seeds.filter((_, i) => i % 3 !== 2),
        () => ({ kind: 'embedded' }),
      )
    },
    24 * 3600_000,
  )

  unlessMissing(missingForKafka(), () => {
    let kafka: TestKafka
    beforeAll(async () => void (kafka = await startKafka()), 600_000)
    afterAll(() => kafka?.stop())

    it(
      'are what the model says on Kafka, whatever is killed or stopped at whichever moment',
      async () => {
        const { brokers } = kafka
        const log = (seed: number) => ({ kind: 'kafka', brokers, topicPrefix: `life${seed}.`, sessionTimeoutMs: 2000 }) as const
        await livesOn(
          'kafka',
          seeds.filter((_, i) => i % 3 === 2),
          log,
        )
      },
      24 * 3600_000,
    )
  })
})
