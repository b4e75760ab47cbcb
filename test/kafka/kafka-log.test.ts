/**
 * The Kafka log and its checkpoints on a real broker: their contracts, and what is special to brokers that restart and to transactions of
 * many.
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaCheckpoints } from '../../utilities/kafka/checkpoints.ts'
import { openKafkaLog, type KafkaLog, type KafkaLogOptions } from '../../utilities/kafka/log.ts'
import { packSaves } from '../../utilities/kafka/saves.ts'
import { topicConfig } from '../../utilities/kafka/topics.ts'
import { Fenced, type Writer } from '../../utilities/log.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { checkpointContract } from '../contracts/checkpoint-contract.ts'
import { logContract } from '../contracts/log-contract.ts'
import { live } from '../fact-lives.ts'
import { batchOf, numbered, readAll, readTexts, textsOf } from '../contracts/messages.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { writerWithFaults, type Fault, type Faults } from './faults.ts'
import { followInflow, bytes, entry, logOn, openTransaction, storeOn } from './stores.ts'
import { unlessMissing } from '../unless-missing.ts'

let kafka: TestKafka

const newStore = (options: Partial<KafkaLogOptions> = {}) => storeOn(kafka.brokers, options)
const testLog = (topics: Readonly<Record<string, number>> = { inflow: 1 }, options: Partial<KafkaLogOptions> = {}) =>
  logOn(kafka.brokers, topics, options)

const inflow = (texts: readonly string[], partition = 0) => ({ topic: 'inflow', partition, batch: batchOf(texts) })

function kafkaTests() {
  beforeAll(async () => void (kafka = await startKafka()), 600_000)
  afterAll(() => kafka?.stop())

  const exceptions = { 'offsets are contiguous from 0': 'the end of each transaction takes an offset' }
  logContract('kafka', async () => newStore(), exceptions)
  checkpointContract('kafka', async () => newStore())

  describe('transactions', () => {
    it('what is aborted, or of a holder that lost its name in the middle, is never seen, and what is open is not seen yet', async () => {
      const { log, topicPrefix } = await testLog()
      const topic = `${topicPrefix}inflow`
      const aborted = await openTransaction(log, 'a', { topic, partition: 0, messages: batchOf(['aborted']) })
      await aborted.end('abort')
      const zombie = await openTransaction(log, 'b', { topic, partition: 0, messages: batchOf(['of a zombie']) })
      const writer = await log.writer('b')
      await expect(zombie.end('commit')).rejects.toThrow(Fenced)
      await writer.commit({ append: [inflow(['kept'])] })
      const open = await openTransaction(log, 'c', { topic, partition: 0, messages: batchOf(['late']) })
      expect(await readTexts(log, 'inflow')).toEqual(['kept'])
      await open.end('commit')
      expect(await readTexts(log, 'inflow')).toEqual(['kept', 'late'])
    })

    it('a writer whose requests and answers get lost, or meet a leader that moves, commits everything once and in order', async () => {
      const { log } = await testLog({ inflow: 2 })
      const fault = fc.constantFrom<Fault>(undefined, undefined, undefined, 'request lost', 'answer lost', 'refused')
      // The second batch's answer is lost twice, while five behind it are taken: it must not fall behind those that the broker can
      // recognise.
      const lostTwice: Faults = {
        asking: [],
        sending: [undefined, 'answer lost', undefined, undefined, undefined, undefined, 'answer lost'],
      }
      const faults = fc.record({
        asking: fc.array(fault, { maxLength: 10 }),
        sending: fc.array(fault, { minLength: 5, maxLength: 25 }),
      }) as fc.Arbitrary<Faults>
      const written: string[][] = [[], []]
      let run = 0
      // Large enough that each of them is a batch of its own: several are under way at once.
      const large = (texts: readonly string[]) => ({
        bytes: Buffer.from(texts.map((text) => text.padEnd(300_000)).join('')),
        ends: Uint32Array.from(texts, (_, i) => (i + 1) * 300_000),
      })
      await fc.assert(
        fc.asyncProperty(faults, async (faults) => {
          const name = `w${run++ % 2}`
          const writer = await writerWithFaults(log, name, faults)
          for (let i = 0; i < 2; i++) {
            const mine = [0, 1].map((partition) => numbered(`${run}/${i}/${partition}/`, 7))
            await writer.commit({
              append: mine.map((some, partition) => ({ topic: 'inflow', partition, batch: large(some) })),
              save: [{ name: 'count', key: '', value: bytes(String(2 * run + i)) }],
            })
            mine.forEach((some, partition) => written[partition]!.push(...some))
          }
          expect(await entry(openKafkaCheckpoints(log), 'count')).toBe(String(2 * run + 1))
        }),
        { numRuns: 5, examples: [[lostTwice]] },
      )
      for (const partition of [0, 1]) {
        expect((await readTexts(log, 'inflow', { partition })).map((text) => text.trimEnd())).toEqual(written[partition])
      }
    })

    it('a commit whose answer was lost is found out by asking again, and is there once', async () => {
      const { log, topicPrefix } = await testLog()
      const transaction = await openTransaction(log, 'w', { topic: `${topicPrefix}inflow`, partition: 0, messages: batchOf(['once']) })
      await transaction.end('commit')
      await transaction.end('commit')
      expect(await readTexts(log, 'inflow')).toEqual(['once'])
    })

    it('one that takes longer than the broker waits is undone, and its writer is told', async () => {
      const { log, topicPrefix } = await testLog({ inflow: 1 }, { transactionTimeoutMs: 1000 })
      const slow = await openTransaction(log, 'w', { topic: `${topicPrefix}inflow`, partition: 0, messages: batchOf(['too slow']) })
      await sleep(2500)
      await expect(slow.end('commit')).rejects.toThrow(Fenced)
      const writer = await log.writer('w')
      await writer.commit({ append: [inflow(['next'])] })
      expect(await readTexts(log, 'inflow')).toEqual(['next'])
    })

    it('two writers to one partition: each commit is whole, in order, and at the offsets that were returned', async () => {
      const { log } = await testLog()
      const offsets = new Map<string, number>()
      await Promise.all(
        ['a', 'b'].map(async (name) => {
          const writer = await log.writer(name)
          for (let i = 0; i < 20; i++) {
            const returned = await writer.commit({ append: [inflow([`${name}${i}.0`, `${name}${i}.1`]), inflow([`${name}${i}.2`])] })
            offsets.set(`${name}${i}.0`, returned[0]!).set(`${name}${i}.2`, returned[1]!)
          }
        }),
      )
      const all = await readAll(log, 'inflow')
      for (const name of ['a', 'b']) {
        expect(all.map(({ text }) => text).filter((text) => text.startsWith(name))).toEqual(
          numbered(name, 20).flatMap((one) => [`${one}.0`, `${one}.1`, `${one}.2`]),
        )
      }
      for (const { text, offset } of all) if (offsets.has(text)) expect(offset).toBe(offsets.get(text))
    })

    it('a commit of many megabytes to several partitions arrives whole, compressed or not', async () => {
      for (const compression of ['none', 'gzip', 'zstd'] as const) {
        const { log } = await testLog({ inflow: 2 }, { compression })
        const writer = await log.writer('w')
        const texts = [0, 1].map((partition) => Array.from({ length: 30_000 }, (_, i) => `${partition}/${i}/${'x'.repeat(i % 150)}`))
        await writer.commit({ append: [0, 1].map((partition) => inflow(texts[partition]!, partition)) })
        for (const partition of [0, 1]) expect(await readTexts(log, 'inflow', { partition })).toEqual(texts[partition])
      }
    })

    it('a message that the topic does not take is refused before anything is written, and the writer goes on', async () => {
      const { log } = await testLog({})
      await log.create('inflow', 1, { 'max.message.bytes': '5000' })
      const writer = await log.writer('w')
      await expect(writer.commit({ append: [inflow(['small']), inflow(['x'.repeat(6000)])] })).rejects.toThrow(
        /larger than topic \S+inflow takes \(5000 bytes\)/,
      )
      await writer.commit({ append: [inflow(numbered('fits ', 1000))] })
      expect(await readTexts(log, 'inflow')).toEqual(numbered('fits ', 1000))
    })

    it('a commit that is refused while its checkpoint topic is still being made is one failure, heard by whoever commits', async () => {
      const unheard: unknown[] = []
      const hear = (error: unknown) => void unheard.push(error)
      process.on('unhandledRejection', hear)
      onTestFinished(() => void process.off('unhandledRejection', hear))
      const { log } = await testLog({})
      await log.create('inflow', 1, { 'max.message.bytes': '5000' })
      const writer = await log.writer('w')
      const refused = writer.commit({ append: [inflow(['x'.repeat(6000)])], save: [{ name: 'n', key: '', value: bytes('v') }] })
      await expect(refused).rejects.toThrow(/larger than topic/)
      await sleep(50)
      expect(unheard).toEqual([])
    })
  })

  describe('reading', () => {
    it('gives joined chunks over the ends of transactions, with the offset of each message', async () => {
      const { log } = await testLog()
      const writer = await log.writer('w')
      for (let i = 0; i < 30; i++) await writer.commit({ append: [inflow([`${i}a`, `${i}b`])] })
      const chunks = await Array.fromAsync(log.read('inflow', { partition: 0, from: 1, to: 31, joined: true }))
      expect(chunks.length).toBe(1)
      expect(textsOf(chunks[0]!.batch)).toEqual(
        numbered('', 11)
          .flatMap((i) => [`${i}a`, `${i}b`])
          .slice(1, 21),
      )
      expect([...chunks[0]!.offsets!]).toEqual((await readAll(log, 'inflow', { from: 1, to: 31 })).map(({ offset }) => offset))
      expect(chunks[0]!.next).toBe(31)
    })

    it('unpacks what others compressed, in every way that Kafka knows', async () => {
      const texts = [
        ...numbered('short', 300),
        'x'.repeat(200_000),
        ...Array.from({ length: 3000 }, (_, i) => `${(i * 7919) % 1000} of ${i} ${'ab'.repeat(i % 90)}`),
        '',
      ]
      for (const compression of ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed']) {
        const { log } = await testLog({})
        // The broker itself compresses what lies in the topic.
        await log.create('inflow', 1, { 'compression.type': compression })
        const writer = await log.writer('w')
        await writer.commit({ append: [inflow(texts)] })
        expect(await readTexts(log, 'inflow')).toEqual(texts)
      }
    })

    it('keeps chunks below four megabytes, whatever the size of commits', async () => {
      const { log } = await testLog({ inflow: 1 }, { compression: 'zstd' })
      const writer = await log.writer('w')
      const ends = Uint32Array.from({ length: 100_000 }, (_, i) => (i + 1) * 100)
      await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: { bytes: new Uint8Array(10_000_000), ends } }] })
      const chunks = await Array.fromAsync(log.read('inflow', { partition: 0, from: 0, joined: true }))
      expect(chunks.reduce((sum, { batch }) => sum + batch.ends.length, 0)).toBe(100_000)
      expect(Math.max(...chunks.map(({ batch }) => batch.ends.at(-1)!))).toBeLessThanOrEqual(4 * 1024 * 1024)
    })
  })

  describe('checkpoints', () => {
    it('are all there after the name was taken, even behind a transaction of somebody else that is open; and his once it is committed', async () => {
      const { log, topicPrefix } = await testLog()
      const checkpoints = openKafkaCheckpoints(log)
      const writer = await log.writer('w')
      await writer.commit({
        save: [
          { name: 'mine', key: '', value: bytes('1') },
          { name: 'mine', key: 'gone', value: bytes('1') },
        ],
      })
      const his = packSaves([{ name: 'his', key: '', value: bytes('2') }])
      const open = await openTransaction(log, 'other', { topic: `${topicPrefix}tidemark.checkpoints`, partition: 0, messages: his })
      await writer.commit({
        save: [
          { name: 'mine', key: '', value: bytes('3') },
          { name: 'mine', key: 'gone', value: null },
        ],
      })
      for (const one of [checkpoints, openKafkaCheckpoints(log)]) {
        expect([await entry(one, 'mine'), await entry(one, 'mine', 'gone'), await entry(one, 'his')]).toEqual(['3', undefined, undefined])
        expect(await one.names('')).toEqual(['mine'])
      }
      await open.end('commit')
      expect([await entry(checkpoints, 'mine'), await entry(checkpoints, 'his')]).toEqual(['3', '2'])
      expect(await checkpoints.names('')).toEqual(['his', 'mine'])
    })

    it('of partition P lie in partition P, so that whoever works on it reads no others', async () => {
      const { log, topicPrefix } = await testLog()
      const writer = await log.writer('w')
      await writer.commit({
        save: ['position/a/0', 'position/a/1', 'position/a/3', 'held', 'sink/x1'].map((name) => ({ name, key: '', value: bytes('v') })),
      })
      const raw = await openKafkaLog({ brokers: kafka.brokers })
      onTestFinished(raw.close)
      const names = async (partition: number) =>
        (await readAll(raw, `${topicPrefix}tidemark.checkpoints`, { partition })).map(({ key }) => key!.split('\0')[0]!).sort()
      expect(await names(0)).toEqual(['held', 'position/a/0', 'sink/x1'])
      expect(await names(1)).toEqual(['position/a/1', 'position/a/3'])
    })
  })

  describe('tables', () => {
    it('follow their files as they do in memory, wherever loads are cut, and their rows are read again from a topic of their own', async () => {
      for (const seed of [3, 11]) {
        const { log, topicPrefix } = await testLog({})
        const checkpoints = openKafkaCheckpoints(log)
        const whole = await live(seed, { cuts: false, atOnce: 20_000 })
        expect(await live(seed, { cuts: true, atOnce: 3, partitions: 3, on: { log, checkpoints } })).toEqual(whole)
        expect((await topicConfig(log.kafka.cluster, `${topicPrefix}tidemark.tables`))!.get('cleanup.policy')).toBe('compact')
        expect((await log.topics()).map(({ topic }) => topic)).not.toContain('tidemark.tables')
        await expect(checkpoints.load('table/lines')).rejects.toThrow(TypeError)
      }
    })
  })

  describe('topics', () => {
    it('that exist with another cleanup.policy are refused, and one that forgets is said', async () => {
      const notes: string[] = []
      const { log, topicPrefix } = await testLog({}, { note: (text) => void notes.push(text) })
      await log.create('inflow', 1)
      await log.create('compacted', 1, { 'cleanup.policy': 'compact' })
      await expect(log.create('compacted', 1)).rejects.toThrow(
        /compacted has cleanup.policy=compact, not delete\. Set it: kafka-configs.sh --bootstrap-server \S+ --alter --topic \S+compacted --add-config cleanup.policy=delete, or/,
      )
      await log.create('tidemark.checkpoints', 1)
      const writer = await log.writer('w')
      await expect(writer.commit({ save: [{ name: 'n', key: '', value: null }] })).rejects.toThrow(/cleanup.policy=delete, not compact/)
      expect(notes).toEqual([])
      const other = await openKafkaLog({
        brokers: kafka.brokers,
        topicPrefix: `${topicPrefix}other.`,
        topicSettings: { inflow: { 'retention.ms': '1000' } },
      })
      onTestFinished(other.close)
      await other.create('inflow', 1)
      const careful = await openKafkaLog({
        brokers: kafka.brokers,
        topicPrefix: `${topicPrefix}other.`,
        note: (text) => void notes.push(text),
      })
      onTestFinished(careful.close)
      await careful.create('inflow', 1)
      const mend =
        `kafka-configs.sh --bootstrap-server ${kafka.brokers[0]} --alter --topic ${topicPrefix}other.inflow --add-config ` +
        'retention.ms=-1'
      expect(notes).toEqual([
        `topic ${topicPrefix}other.inflow keeps only 1000 ms of records (retention.ms), ` +
          `and what is deleted there cannot be replayed. To keep all: ${mend}`,
      ])
    })

    it('are made with the right settings: kept for ever, and checkpoints compacted', async () => {
      const { log, topicPrefix } = await testLog({ inflow: 3, outflow: 1, 'inflow.dead': 1 })
      const writer = await log.writer('w')
      await writer.commit({ save: [{ name: 'n', key: '', value: bytes('v') }] })
      const { cluster } = log.kafka
      for (const topic of ['inflow', 'outflow', 'inflow.dead']) {
        const settings = await topicConfig(cluster, topicPrefix + topic)
        expect([settings!.get('cleanup.policy'), settings!.get('retention.ms'), settings!.get('retention.bytes')]).toEqual([
          'delete',
          '-1',
          '-1',
        ])
      }
      expect((await topicConfig(cluster, `${topicPrefix}tidemark.checkpoints`))!.get('cleanup.policy')).toBe('compact')
      await expect(log.create('inflow', 4)).rejects.toThrow(
        /inflow has 3 partitions, not 4\. Give it more: kafka-topics.sh --bootstrap-server \S+ --alter --topic \S+inflow --partitions 4/,
      )
      await expect(log.create('inflow', 2)).rejects.toThrow(/inflow has 3 partitions, not 2\. Partitions cannot be taken away/)
    })

    it('are not made by looking at checkpoints', async () => {
      const { log } = await testLog({})
      const checkpoints = openKafkaCheckpoints(log)
      expect([await checkpoints.load('position/a/0'), await checkpoints.names('')]).toEqual([new Map(), []])
      expect((await log.kafka.cluster.metadata([])).topicMetadata.filter(({ topic }) => topic.startsWith(log.kafka.prefix))).toEqual([])
      // Once somebody has saved something, they are there, for those who looked before too.
      const writer = await log.writer('w')
      await writer.commit({ save: [{ name: 'position/a/0', key: '', value: bytes('v') }] })
      expect(await entry(checkpoints, 'position/a/0')).toBe('v')
    })
  })

  describe('members of a group', () => {
    const program = fileURLToPath(new URL('./member.ts', import.meta.url))

    function startMember(topicPrefix: string, sessionTimeoutMs = 2000) {
      const child = spawn(process.execPath, [program, kafka.brokers[0]!, topicPrefix, String(sessionTimeoutMs)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
      onTestFinished(async () => {
        child.kill('SIGKILL')
        await ended
      })
      const said: string[] = []
      createInterface({ input: child.stdout }).on('line', (line) => void said.push(line))
      return {
        child,
        ended,
        now: (): readonly number[] => JSON.parse(said.findLast((line) => line.startsWith('[')) ?? '[]') as number[],
        said,
      }
    }

    const until = async (what: () => boolean) => {
      while (!what()) await sleep(10)
    }

    it('share the partitions of a topic; when one is killed, or leaves, the others have all', async () => {
      const { topicPrefix } = await testLog({ shared: 4 })
      const [one, two] = [startMember(topicPrefix), startMember(topicPrefix)]
      await until(() => one.now().length === 2 && two.now().length === 2)
      expect([...one.now(), ...two.now()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3])
      one.child.kill('SIGKILL')
      await until(() => two.now().length === 4)
      const three = startMember(topicPrefix)
      await until(() => two.now().length === 2 && three.now().length === 2)
      two.child.kill('SIGTERM')
      await two.ended
      expect(two.said.at(-1)).toBe('left')
      await until(() => three.now().length === 4)
    })

    it('need not wait for one that was killed on this machine, however long its session', async () => {
      const { topicPrefix } = await testLog({ shared: 4 })
      const tenMinutes = 600_000
      const [one, two] = [startMember(topicPrefix, tenMinutes), startMember(topicPrefix, tenMinutes)]
      await until(() => one.now().length === 2 && two.now().length === 2)
      one.child.kill('SIGKILL')
      await one.ended
      const three = startMember(topicPrefix, tenMinutes)
      await until(() => two.now().length === 2 && three.now().length === 2)
      expect([...two.now(), ...three.now()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3])
    })
  })

  describe('a broker that is not there', () => {
    it('is a Problem with its address and what to do', async () => {
      const port = await new Promise<number>((resolve) => {
        const server = createServer().listen(0, '127.0.0.1', () => {
          const { port } = server.address() as { readonly port: number }
          server.close(() => resolve(port))
        })
      })
      const opening = openKafkaLog({ brokers: [`127.0.0.1:${port}`], openWithinMs: 100 })
      await expect(opening).rejects.toThrow(Problem)
      await expect(opening).rejects.toThrow(new RegExp(`Kafka at 127.0.0.1:${port} does not answer .*Check the brokers`))
      await expect(openKafkaLog({ brokers: ['nowhere'] })).rejects.toThrow(/nowhere is not the address of a broker/)
    })

    it('or does not take the credentials is a Problem that does not tell them', async () => {
      const auth = { kind: 'scram', username: 'user', password: 'hunter2', mechanism: 'scram-sha-512', tls: false } as const
      const lines: string[] = []
      const opening = openKafkaLog({ brokers: kafka.brokers, auth, openWithinMs: 100, note: (text) => void lines.push(text) })
      await expect(opening).rejects.toThrow(/did not accept the connection .*Check the log's auth/)
      const failure = await opening.catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(Problem)
      expect([inspect(failure, { depth: 9, showHidden: true }), ...lines].join('\n')).not.toContain('hunter2')
    })

    it('that is killed in the middle of commits and reads comes back to every commit exactly once', async () => {
      const notes: string[] = []
      const { log, topicPrefix } = await testLog({ inflow: 1 }, { note: (text, kind) => void (kind === 'warning' && notes.push(text)) })
      const { followed, stop, following } = followInflow(log)

      let acknowledged = 0
      let done = false
      const committing = (async () => {
        const checkpoints = openKafkaCheckpoints(log)
        const take = async () => ({ writer: await log.writer('w'), next: Number((await entry(checkpoints, 'w/0')) ?? 0) })
        for (let { writer, next }: { writer: Writer; next: number } = await take(); !done;) {
          try {
            const append = [inflow(numbered('', 3).map((_, i) => String(next + i)))]
            await writer.commit({ append, save: [{ name: 'w/0', key: '', value: bytes(String(next + 3)) }] })
            acknowledged = next += 3
          } catch (error) {
            // As a consumer does it: what was not committed is done again from the checkpoint.
            if (!(error instanceof Fenced)) throw error
            ;({ writer, next } = await take())
          }
        }
      })()

      for (let round = 1; round <= 2; round++) {
        const before = acknowledged
        while (acknowledged < before + 60) await sleep(1)
        await kafka.kill()
        if (round === 2) await sleep(1500)
        await kafka.restart()
        while (acknowledged < before + 90) await sleep(1)
      }
      done = true
      await committing
      while (followed.length < acknowledged) await sleep(5)
      stop.abort()
      await following

      const expected = numbered('', acknowledged)
      expect(await readTexts(log, 'inflow')).toEqual(expected)
      expect(followed).toEqual(expected)
      expect(await entry(openKafkaCheckpoints(await openAgain(topicPrefix)), 'w/0')).toBe(String(acknowledged))
      const [address] = kafka.brokers
      expect(notes.filter((note) => !note.includes('is not ready')).length % 2).toBe(0)
      expect(notes[0]).toMatch(new RegExp(`^Kafka at ${address} (does not answer|is not ready) .*trying again$`))
      expect(notes.at(-1)).toBe(`Kafka at ${address} answers again`)
    })

    it('that stays away is a Problem for whoever commits or reads, and holds up neither closing nor an abort', async () => {
      const { log, topicPrefix } = await testLog()
      const hasty = await openKafkaLog({ brokers: kafka.brokers, topicPrefix, patienceMs: 200 })
      onTestFinished(hasty.close)
      const writer = await hasty.writer('w')
      await writer.commit({ append: [inflow(['a'])] })
      const stop = new AbortController()
      const seen: string[] = []
      const following = (async () => {
        for await (const { batch } of log.read('inflow', { partition: 0, from: 0, follow: true, signal: stop.signal }))
          seen.push(...textsOf(batch))
      })()
      while (seen.length === 0) await sleep(5)
      // The last test: it stays away.
      await kafka.kill()
      await sleep(50)
      stop.abort()
      await following
      await expect(writer.commit({ append: [inflow(['b'])] })).rejects.toThrow(/does not answer .*Check the brokers/)
      await expect(readTexts(hasty, 'inflow')).rejects.toThrow(Problem)
      const reading = readTexts(log, 'inflow').catch((error: unknown) => error)
      await log.close()
      expect(await reading).toBeInstanceOf(Error)
    })
  })
}

async function openAgain(topicPrefix: string): Promise<KafkaLog> {
  const log = await openKafkaLog({ brokers: kafka.brokers, topicPrefix })
  onTestFinished(log.close)
  return log
}

unlessMissing(missingForKafka(), kafkaTests)
