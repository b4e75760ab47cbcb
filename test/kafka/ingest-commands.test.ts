/**
 * `ingest` as it is typed beside a real Kafka: what runs gives way to others, is stopped and goes on, and says what is not there any more.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doctorFinds, done, freshFolder, json, start, tidemark, until, type Running } from '../cli-run.ts'
import { limitMs } from '../loan-folders.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { asAdmin, dropTopic } from './stores.ts'

// kafkajs warns of a partitioner that no message here asks for.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'

const definitions = `import { count, date, fact, featureSet, table, text } from 'tidemark'
const accounts = table('accounts', { key: 'account_id' }, { account_id: text({ bytes: 10 }), name: text({ bytes: 40 }) })
const lines = table('lines', { key: 'line_id' }, { line_id: text({ bytes: 10 }), account_id: text({ bytes: 10 }), day: date() })
const sale = fact('sale', { of: lines, at: 'day', join: { account: [accounts, 'account_id'] } }, {
  line_id: text({ bytes: 10 }), account_id: text({ bytes: 10 }), day: date({ nullable: false }),
  name: text({ bytes: 40, from: 'account.name' }),
})
export const v0 = featureSet({ name: 'sales', of: sale, per: 'account_id' }, { sales: count('line_id', { all: true }) })`

const many = 90
const csv = ['line_id,account_id,day', ...Array.from({ length: many }, (_, i) => `L${i},A${i % 3},2026-01-0${1 + (i % 9)}`)].join('\n')

let kafka: TestKafka
let producer: Producer
let folder: string

const put = (account: number, name: string) =>
  producer.send({ topic: 'accounts', messages: [{ key: JSON.stringify({ account_id: `A${account}` }), value: JSON.stringify({ name }) }] })
const accounts = async (words = '') => (await json(folder, `status ${words}`)).fromTopics.sources[0]
const holders = async () => (await doctorFinds(folder))['leases'].found as string
const begun = async (words: string): Promise<Running> => {
  const one = start(folder, words)
  await until(async () => one.hasEnded() || (await holders()).includes('topics: process'), 100)
  return one
}
const stopped = async (one: Running) => {
  one.signal('SIGINT')
  return one.ended
}

function kafkaTests() {
  beforeAll(async () => {
    kafka = await startKafka(async (directory) => writeFileSync(join(directory, 'more.properties'), 'auto.create.topics.enable=false\n'))
    const client = new Kafka({ brokers: [...kafka.brokers], logLevel: 0 })
    producer = client.producer()
    await producer.connect()
    await asAdmin(kafka.brokers, async (admin) => void (await admin.createTopics({ topics: [{ topic: 'accounts', numPartitions: 1 }] })))
    folder = freshFolder()
    writeFileSync(join(folder, 'features.ts'), definitions)
    writeFileSync(join(folder, 'lines.csv'), csv)
    const config = {
      features: 'features.ts',
      sources: { accounts: { topic: 'accounts', format: 'upsert-json' }, lines: { file: 'lines.csv' } },
      ingest: { kafka: { brokers: kafka.brokers } },
    }
    writeFileSync(join(folder, 'tidemark.json'), JSON.stringify(config))
    await done(folder, 'apply sales@0 --yes')
    for (let i = 0; i < 3; i++) await put(i, `n${i}`)
  }, 600_000)
  afterAll(async () => {
    await producer?.disconnect()
    await kafka?.stop()
  })

  describe('ingest that runs', { timeout: limitMs }, () => {
    it('is the only one, which is said; gives way to load; is stopped with a total, and goes on from there', async () => {
      expect((await json(folder, 'status')).fromTopics).toMatchObject({
        sources: [{ source: 'accounts', topic: 'accounts', partitions: 1, messages: 0, lag: 3, waits: 'waits for its first rows' }],
        facts: [{ stream: 'sale', waitsFor: expect.arrayContaining(['accounts', 'lines']) }],
      })
      // At once.
      expect(await stopped(await begun('ingest'))).toMatchObject({
        code: 0,
        out: expect.stringContaining('the next start goes on from here'),
      })
      const running = await begun('ingest')
      const second = await tidemark(folder, 'ingest --until-caught-up')
      expect([second.code, second.err]).toEqual([1, expect.stringContaining(`topics is held by process ${running.pid} `)])
      expect(await done(folder, 'load')).toContain('lines')
      await until(async () => (await json(folder, 'status')).ingest.facts['sale']?.begun === true, 100)
      expect(await accounts()).toMatchObject({ messages: 3, lag: 0, waits: null, dead: 0 })
      const { code, out } = await stopped(running)
      expect([code, out]).toEqual([
        0,
        expect.stringMatching(/^accounts: [0-3] messages of accounts\nstopped; the next start goes on from here\n$/),
      ])
    })

    it('lets a fact be verified while its changes come, without a break in between', async () => {
      const running = await begun('ingest')
      let [isOn, sent] = [true, 0]
      const sending = (async () => {
        for (; isOn; sent++) await put(sent % 3, `again ${sent}`)
      })()
      try {
        for (let i = 0; i < 2; i++) {
          const before = (await accounts()).messages
          const { code, out } = await tidemark(folder, 'verify sale')
          expect([code, out]).toEqual([
            0,
            expect.stringContaining(`sale: ${many} facts of the tables, of inflow and in the warehouse are equal`),
          ])
          // It is not that nothing came.
          await until(async () => (await accounts()).messages > before, 50)
        }
      } finally {
        isOn = false
        await sending
      }
      await until(async () => (await accounts()).lag === 0, 50)
      expect((await stopped(running)).code).toBe(0)
      expect((await json(folder, 'status')).ingest.widest).toMatchObject({ rows: expect.any(Number), facts: expect.any(Number) })
      expect(await done(folder, 'verify sale')).toContain('are equal')
    })

    it('says what was deleted before it was read, and goes on only when it is told to', async () => {
      await put(0, 'lost')
      await put(1, 'lost')
      await asAdmin(kafka.brokers, async (admin) => {
        const [{ high } = { high: '0' }] = await admin.fetchTopicOffsets('accounts')
        await admin.deleteTopicRecords({ topic: 'accounts', partitions: [{ partition: 0, offset: high }] })
      })
      const refused = await tidemark(folder, 'ingest --until-caught-up')
      expect([refused.code, refused.err]).toEqual([
        1,
        expect.stringContaining('were deleted before they were read. To go on with what it holds:'),
      ])
      await put(2, 'here')
      expect(await done(folder, 'ingest --until-caught-up --accept-gap accounts')).toBe('accounts: 1 messages of accounts')
      await dropTopic(kafka.brokers, 'accounts')
      const gone = await tidemark(folder, 'ingest --until-caught-up')
      expect([gone.code, gone.err]).toEqual([0, expect.stringContaining('accounts: there is no such topic yet')])
      expect((await doctorFinds(folder))['topic of accounts']).toMatchObject({ state: 'problem', found: 'there is no topic accounts' })
      await asAdmin(kafka.brokers, async (admin) => void (await admin.createTopics({ topics: [{ topic: 'accounts', numPartitions: 1 }] })))
      const anew = await tidemark(folder, 'ingest --until-caught-up')
      expect([anew.code, anew.err]).toEqual([1, expect.stringContaining('it was made anew. To go on with what it holds:')])
    })

    it('is not needed to look: status says within seconds that topics are out of reach, and doctor what is there', async () => {
      await put(0, 'n')
      const found = await doctorFinds(folder)
      expect(found['topics of others']).toMatchObject({ state: 'ok' })
      expect(found['topic of accounts']).toMatchObject({
        state: 'ok',
        found: 'accounts, one partition; the last 1 messages in JSON looked at',
      })
      kafka.signal('SIGSTOP')
      try {
        const startedMs = performance.now()
        const { fromTopics } = await json(folder, 'status')
        expect(performance.now() - startedMs).toBeLessThan(7_000)
        expect(fromTopics).toMatchObject({ outOfReach: expect.any(String), sources: [{ source: 'accounts', lag: null }] })
      } finally {
        kafka.signal('SIGCONT')
      }
    })
  })
}

unlessMissing(missingForKafka(), kafkaTests)
