/** Topics of others in a real Kafka: the feed's contract, and what only brokers and other people's producers do. */
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, type IHeaders, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../config/config.ts'
import { wire } from '../../config/wire.ts'
import type { Messages } from '../../utilities/feed.ts'
import { openKafkaFeed } from '../../utilities/kafka/feed.ts'
import type { Sent } from '../../utilities/memory/feed.ts'
import { feedContract, piecesAsTexts, readUntil, sent, valuesIn } from '../contracts/feed-contract.ts'
import { numbered } from '../contracts/messages.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { asAdmin, dropTopic, logOn } from './stores.ts'

// kafkajs warns of a partitioner that no message here asks for.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'

let kafka: TestKafka
let producer: Producer

const bytesOf = (some: Uint8Array | string | undefined) => (some === undefined ? null : Buffer.from(some))
const messagesOf = (partition: number, messages: readonly Sent[]) =>
  messages.map(({ key, value, time, headers }) => ({
    partition,
    key: bytesOf(key),
    value: bytesOf(value),
    ...(time !== undefined && { timestamp: String(time) }),
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, one]) => [name, bytesOf(one)!])) as IHeaders,
  }))

const send = async (topic: string, messages: readonly Sent[], partition = 0) =>
  void (await producer.send({ topic, messages: messagesOf(partition, messages) }))

const make = async (topic: string, partitions = 1, settings: Readonly<Record<string, string>> = {}) =>
  asAdmin(kafka.brokers, async (admin) => {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] })
  })

async function newFeed(note: (text: string) => void = () => {}) {
  const feed = await openKafkaFeed({ brokers: kafka.brokers, note: (text, kind) => kind === 'warning' && note(text) })
  onTestFinished(() => feed.close())
  return feed
}

/** What is read to the end, each piece as it came. */
async function readToEnd(topic: string, from = 0): Promise<readonly Messages[]> {
  const read: Messages[] = []
  await readUntil(await newFeed(), topic, { from }, (some) => read.push(some) > 0 && some.count === 0)
  return read
}

/** Kafka keeps topics of a test for the next ones. */
async function newStore() {
  const made = new Set<string>()
  return {
    feed: () => openKafkaFeed({ brokers: kafka.brokers }),
    async make(topic: string, partitions: number) {
      made.add(topic)
      await make(topic, partitions)
    },
    append: (topic: string, partition: number, messages: readonly Sent[]) => send(topic, messages, partition),
    deleteBefore: (topic: string, partition: number, offset: number) =>
      asAdmin(kafka.brokers, async (admin) => {
        // kafkajs deletes nothing of a topic that it has not asked about before.
        await admin.fetchTopicOffsets(topic)
        await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
      }),
    async drop(topic: string) {
      made.delete(topic)
      await dropTopic(kafka.brokers, topic)
    },
    topics: () =>
      asAdmin(kafka.brokers, async (admin) => (await admin.listTopics()).filter((one) => ['orders', 'nowhere', 'others'].includes(one))),
    async dispose() {
      for (const topic of made) await dropTopic(kafka.brokers, topic)
    },
  }
}

function kafkaTests() {
  beforeAll(async () => {
    // As brokers are that others run: asking for a topic in the wrong way makes it.
    kafka = await startKafka(async (directory) => writeFileSync(join(directory, 'more.properties'), 'auto.create.topics.enable=true\n'))
    producer = new Kafka({ brokers: [...kafka.brokers], logLevel: 0 }).producer()
    await producer.connect()
  }, 600_000)
  afterAll(async () => {
    await producer?.disconnect()
    await kafka?.stop()
  })

  feedContract('kafka', newStore)

  describe('a topic of others in Kafka', () => {
    it('shows what is committed: nothing of a transaction that is open or aborted, and its end is before those that are open', async () => {
      await make('payments')
      const of = async (name: string) => {
        const one = new Kafka({ brokers: [...kafka.brokers], logLevel: 0 }).producer({ transactionalId: name, maxInFlightRequests: 1 })
        await one.connect()
        onTestFinished(() => one.disconnect())
        return one
      }
      const begun = async (name: string, value: string) => {
        const transaction = await (await of(name)).transaction()
        await transaction.send({ topic: 'payments', messages: messagesOf(0, sent([value])) })
        return transaction
      }
      await (await begun('a', 'aborted')).abort()
      await (await begun('b', 'kept')).commit()
      const open = await begun('c', 'late')
      await send('payments', sent(['behind it']))
      const feed = await newFeed()
      // Two messages and the marks of their transactions.
      expect(await feed.ends('payments')).toEqual([{ first: 0, next: 4 }])
      // And what is open, and what lies behind it.
      expect(await feed.ends('payments', { uncommitted: true })).toEqual([{ first: 0, next: 6 }])
      expect((await readToEnd('payments')).map(({ values, next, end }) => [piecesAsTexts(values), next, end])).toEqual([
        [['kept'], 4, 4],
        [[], 4, 4],
      ])
      const read: (string | null)[] = []
      const following = readUntil(feed, 'payments', { from: 4 }, ({ values }) => read.push(...piecesAsTexts(values)) >= 2)
      await sleep(700)
      expect(read).toEqual([])
      await open.commit()
      await following
      expect(read).toEqual(['late', 'behind it'])
      // Behind the last message and the mark that nobody sees.
      expect((await readToEnd('payments', 6)).map(({ count, next, end }) => [count, next, end])).toEqual([[0, 7, 7]])
    })

    it('is unpacked from every compression, with keys, headers and times', async () => {
      const messages = [...numbered('short', 300), 'x'.repeat(200_000), 'ab'.repeat(30_000)].map((value, i): Sent => ({
        key: `k${i}`,
        value,
        time: 1_700_000_000_000 + i * 1000,
        headers: { n: String(i) },
      }))
      for (const compression of ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed']) {
        const topic = `by-${compression}`
        // The broker itself compresses what lies in the topic.
        await make(topic, 1, { 'compression.type': compression })
        await send(topic, messages.slice(0, 200))
        await send(topic, messages.slice(200))
        const read = await readToEnd(topic)
        const all = <T>(each: (some: Messages) => readonly T[]) => read.flatMap(each)
        expect(all(({ values }) => piecesAsTexts(values))).toEqual(messages.map(({ value }) => value))
        expect(all(({ keys }) => piecesAsTexts(keys))).toEqual(messages.map(({ key }) => key))
        expect(all(({ times }) => [...times])).toEqual(messages.map(({ time }) => time))
        const numbers = all(({ header, count }) => Array.from({ length: count }, (_, i) => Buffer.from(header(i, 'n')!).toString()))
        expect(numbers).toEqual(messages.map((_, i) => String(i)))
      }
    })

    it('has the times of its broker where it is set so', async () => {
      await make('stamped', 1, { 'message.timestamp.type': 'LogAppendTime' })
      const before = Date.now()
      await send('stamped', [
        { value: 'a', time: 1_000_000_000_000 },
        { value: 'b', time: 1_500_000_000_000 },
      ])
      const [a, b] = (await readToEnd('stamped'))[0]!.times
      expect(a).toBe(b)
      expect(a).toBeGreaterThanOrEqual(before - 1000)
      expect(a).toBeLessThanOrEqual(Date.now() + 1000)
    })

    it('has messages larger than what is asked for at once, and many batches, in pieces', async () => {
      await make('large', 1, { 'max.message.bytes': String(8 * 1024 * 1024) })
      const large = 'x'.repeat(3 * 1024 * 1024)
      await send('large', sent(['before', large, 'behind']))
      for (let i = 0; i < 30; i++) await send('large', sent([`${i}`.padEnd(100_000)]))
      expect(await valuesIn(await newFeed(), 'large')).toEqual([
        'before',
        large,
        'behind',
        ...Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(100_000)),
      ])
    })

    it('may be what Tidemark itself wrote', async () => {
      const { log, topicPrefix } = await logOn(kafka.brokers, { 'inflow.payment': 1 }, { compression: 'zstd' })
      const writer = await log.writer('w')
      const texts = numbered('m', 100)
      const bytes = Buffer.from(texts.join(''))
      let end = 0
      const ends = Uint32Array.from(texts, ({ length }) => (end += length))
      await writer.commit({ append: [{ topic: 'inflow.payment', partition: 0, batch: { bytes, ends, keys: numbered('k', 100) } }] })
      const [read] = await readToEnd(`${topicPrefix}inflow.payment`)
      expect([piecesAsTexts(read!.keys), piecesAsTexts(read!.values), read!.next]).toEqual([numbered('k', 100), texts, 101])
    })

    it('is read from partitions that it was given later', async () => {
      await make('growing', 1)
      const feed = await newFeed()
      expect(await feed.ends('growing')).toHaveLength(1)
      await asAdmin(kafka.brokers, (admin) => admin.createPartitions({ topicPartitions: [{ topic: 'growing', count: 3 }] }))
      await expect.poll(() => feed.ends('growing')).toHaveLength(3)
      await send('growing', sent(['late']), 2)
      expect(await valuesIn(feed, 'growing', { partition: 2 })).toEqual(['late'])
    })

    it('is waited for while Kafka is away, which is said once, and once when it is back; an abort ends even that', async () => {
      await make('patient')
      await send('patient', sent(['a']))
      const said: string[] = []
      const feed = await newFeed((text) => said.push(text))
      const read: (string | null)[] = []
      const following = readUntil(feed, 'patient', {}, ({ values }) => read.push(...piecesAsTexts(values)) >= 2)
      await expect.poll(() => read).toEqual(['a'])
      await kafka.kill()
      await expect.poll(() => said.length, { timeout: 20_000 }).toBe(1)
      expect(said[0]).toMatch(/does not answer .*trying again/)
      const stop = new AbortController()
      const another = Array.fromAsync(feed.read('patient', { partition: 0, from: 0, signal: stop.signal }))
      await sleep(100)
      const abortedAt = performance.now()
      stop.abort()
      expect(await another).toEqual([])
      expect(performance.now() - abortedAt).toBeLessThan(300)
      await kafka.restart()
      await expect
        .poll(
          () =>
            send('patient', sent(['b'])).then(
              () => true,
              (error: unknown) => error,
            ),
          { timeout: 30_000 },
        )
        .toBe(true)
      await following
      expect(read).toEqual(['a', 'b'])
      expect(said.slice(1)).toEqual([expect.stringMatching(/answers again/)])
    })

    it('comes from the Kafka of the config, under its own name: that of ingest, or else that of the log', async () => {
      await make('theirs')
      await send('theirs', sent(['a']))
      const sources = { accounts: { topic: 'theirs', format: 'json' } }
      const { brokers } = kafka
      for (const config of [
        { sources, log: { kind: 'kafka', brokers, topicPrefix: 'ours.' } },
        { sources, ingest: { kafka: { brokers } } },
      ]) {
        const folder = await mkdtemp(join(tmpdir(), 'tidemark-feed-'))
        onTestFinished(() => rm(folder, { recursive: true }))
        await writeFile(join(folder, 'own.json'), JSON.stringify({ ...config, dataDir: join(folder, 'data') }))
        const ports = await wire(readConfig(join(folder, 'own.json'), {}))
        onTestFinished(() => ports.close())
        const feed = await ports.openFeed()
        onTestFinished(() => feed.close())
        expect(await valuesIn(feed, 'theirs')).toEqual(['a'])
      }
    })

    it('cannot be read where no Kafka is', async () => {
      const opening = openKafkaFeed({ brokers: ['127.0.0.1:1'], openWithinMs: 50 })
      await expect(opening).rejects.toThrow(/Kafka at 127\.0\.0\.1:1 does not answer/)
    })
  })
}

unlessMissing(missingForKafka(), kafkaTests)
