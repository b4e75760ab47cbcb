/** The commands that look after topics, on a real broker: status, doctor, topics and reset, as operators run them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaLog } from '../../utilities/kafka/log.ts'
import { doctorFinds, done, freshFolder, json, start, tidemark, until, warehouseOf, type Printed } from '../cli-run.ts'
import { readAll } from '../contracts/messages.ts'
import { readRows } from '../oracle/compare.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { asAdmin, dropTopic, settingsOf } from './stores.ts'
import { unlessMissing } from '../unless-missing.ts'

let kafka: TestKafka
let folder: string
const config = '--config kafka.json'

/** A folder with a config of its own, whose topics begin so. */
function folderWith(topicPrefix: string, more: object = {}): string {
  const fresh = freshFolder()
  writeFileSync(join(fresh, 'kafka.json'), JSON.stringify({ log: { kind: 'kafka', brokers: kafka.brokers, topicPrefix, ...more } }))
  return fresh
}

async function rawLog(topicPrefix: string) {
  const log = await openKafkaLog({ brokers: kafka.brokers, topicPrefix })
  onTestFinished(log.close)
  return log
}

/** Every topic there is under the prefix, checkpoints included. */
async function allTopics(topicPrefix: string): Promise<string[]> {
  const { cluster } = (await rawLog(topicPrefix)).kafka
  return (await cluster.metadata([])).topicMetadata
    .map(({ topic }) => topic)
    .filter((topic) => topic.startsWith(topicPrefix))
    .sort()
}

async function refused(words: string, says: RegExp, code = 1, where = folder) {
  const ended = await tidemark(where, `${words} ${config}`)
  expect({ code: ended.code, err: ended.err }).toEqual({ code, err: expect.stringMatching(says) })
}

function operations() {
  beforeAll(async () => {
    kafka = await startKafka()
    folder = folderWith('ops.')
    await done(folder, 'generate --rows 40000 --seed 5 --out loans.csv.gz')
    await done(folder, `apply loan_risk@0 --yes ${config}`)
    for (const year of [2007, 2008]) await done(folder, `produce --years ${year} --file loans.csv.gz ${config}`)
    await done(folder, `up --until-caught-up ${config}`)
  }, 600_000)
  afterAll(() => kafka?.stop())

  describe('looking', () => {
    it.each(['status', 'topics', 'doctor', 'status --json', 'doctor --deep'])(
      '%s makes nothing, no topic of checkpoints either',
      async (words) => {
        const prefix = `looking.${words.replace(/\W+/g, '')}.`
        // A place that has all its files, as after an apply, but a log that nobody has written to.
        const place = folderWith(prefix)
        await done(place, 'apply loan_risk@0 --yes')
        await tidemark(place, `${words} ${config}`)
        expect(await allTopics(prefix)).toEqual([])
      },
    )

    it('doctor says which brokers answer, and what is wrong with the topics', async () => {
      const checksOf = (place: string) => doctorFinds(place, config)
      const well = await checksOf(folder)
      expect(well.Kafka).toMatchObject({ state: 'ok', found: `1 broker: ${kafka.brokers[0]}` })
      expect(well['Kafka topics']).toMatchObject({ state: 'ok', found: 'inflow (1), inflow.dead (1), outflow (1), kept for ever' })

      const uneven = folderWith('uneven.')
      await done(uneven, 'apply loan_risk@0 --yes')
      for (const [topic, partitions] of [
        ['inflow', 2],
        ['outflow', 1],
      ])
        await done(uneven, `topics ${topic} --create --partitions ${partitions} ${config}`)
      expect((await checksOf(uneven))['Kafka topics']).toMatchObject({
        state: 'problem',
        todo: expect.stringMatching(/^outflow must have as many partitions as inflow/),
      })

      writeFileSync(join(uneven, 'kafka.json'), JSON.stringify({ log: { kind: 'kafka', brokers: ['127.0.0.1:1'] } }))
      const away = await checksOf(uneven)
      expect(away.Kafka).toMatchObject({ state: 'problem', found: expect.stringContaining('Kafka at 127.0.0.1:1 does not answer') })
      expect(away['Kafka topics'].state).toBe('not checked')
    })

    it('doctor names what makes a topic forget, with a command that can be typed as it stands, and misses no file that nobody named', async () => {
      const place = folderWith('forgets.', {
        topicSettings: { inflow: { 'cleanup.policy': 'compact' }, outflow: { 'retention.bytes': 5_000_000 } },
      })
      await done(place, 'apply loan_risk@0 --yes')
      const found = () => doctorFinds(place, config)
      await done(place, `topics outflow --create ${config}`)
      const alter = `kafka-configs.sh --bootstrap-server ${kafka.brokers[0]} --alter --topic forgets.`
      const mend = `What is deleted cannot be replayed. Set it: ${alter}`
      expect((await found())['Kafka topics']).toEqual({
        check: 'Kafka topics',
        state: 'problem',
        found: 'outflow keeps its newest bytes only (retention.bytes=5000000)',
        todo: `${mend}outflow --add-config retention.bytes=-1`,
      })
      await done(place, `topics inflow --create ${config}`)
      const { 'Kafka topics': topics, 'source file': file } = await found()
      expect(topics).toEqual({
        check: 'Kafka topics',
        state: 'problem',
        found: 'inflow keeps only the newest record of each key (cleanup.policy=compact)',
        todo: `${mend}inflow --add-config cleanup.policy=delete`,
      })
      expect(file).toMatchObject({ state: 'not checked', found: 'there is no data/rejected.csv.gz, which only produce and backfill read' })
    })

    it('status says what each reader has still to read: nothing when all is read, whatever marks lie at the end', async () => {
      const status: Printed = await json(folder, `status --over 0 ${config}`)
      expect(status.sets[0]).toMatchObject({
        set: 'loan_risk',
        promoted: 0,
        live: [0],
        lag: 0,
        duplicates: 0,
        dead: 0,
        lastSwitch: { version: 0, afterSeq: 0 },
      })
      expect(status.readers.map(({ reader, topic, partition, lag }: Printed) => [reader, topic, partition, lag])).toEqual([
        ['loan_risk', 'inflow', 0, 0],
        ['sink', 'outflow', 0, 0],
      ])
    })

    it("Kafka's own tools see how far the consumer has come", async () => {
      const { readers }: Printed = await json(folder, `status --over 0 ${config}`)
      const [seen] = await asAdmin(kafka.brokers, (admin) =>
        admin.fetchOffsets({ groupId: 'ops.consume-loan_risk', topics: ['ops.inflow'] }),
      )
      expect(seen!.partitions.map(({ partition, offset }) => [partition, Number(offset)])).toEqual([[0, readers[0].next]])
    })

    it('status counts records that wait, not the marks between them', async () => {
      const place = folderWith('lagging.')
      await done(place, `apply loan_risk@0 --yes ${config}`)
      const produced = (await json(place, `produce --years 2007 --rate 100000 --file ${join(folder, 'loans.csv.gz')} ${config}`)).rows
      const status: Printed = await json(place, `status --over 0 ${config}`)
      expect(status.sets[0].lag).toBe(produced)
      expect(status.sets[0].lagOffsets).toBeGreaterThan(produced)
      expect(status.sink).toMatchObject({ lag: 0 })
      const text = await done(place, `status --over 0.1 ${config}`)
      expect(text).toMatch(new RegExp(`loan_risk +inflow +0 +0 +${produced} +0$`, 'm'))
      expect(text).toMatch(/^topic +partitions +offsets +bytes/m)
      expect(text).not.toContain('messages')
    })

    it('topics calls no span of offsets a number of messages', async () => {
      const listed: Printed[] = await json(folder, `topics ${config}`)
      expect(listed.map(({ topic, messages }) => [topic, messages])).toEqual([
        ['inflow', null],
        ['inflow.dead', null],
        ['outflow', null],
      ])
      expect((await done(folder, `topics ${config}`)).split('\n')[0]).toMatch(/^topic +partition +first +next +offsets +bytes$/)
    })

    it('topics shows the last messages, decoded by the version of their schema, over the marks between them', async () => {
      const shown: Printed[] = await json(folder, `topics outflow --last 5 ${config}`)
      const all = await readAll(await rawLog('ops.'), 'outflow')
      expect(shown.map(({ offset, subject, version }) => [offset, subject, version])).toEqual(
        all.slice(-5).map(({ offset }) => [offset, 'loan_risk', 0]),
      )
      expect(shown.at(-1).fields.seq).toBe((await json(folder, `status --over 0 ${config}`)).sets[0].position)
    })
  })

  describe('topics', () => {
    it('are made with partitions and settings, and checked when they exist', async () => {
      expect(await done(folder, `topics extra --create --partitions 3 ${config}`)).toBe('made extra with 3 partitions')
      expect(await done(folder, `topics extra --create --partitions 3 ${config}`)).toBe(
        'extra was there already, with 3 partitions, and is as it should be',
      )
      await refused('topics extra --create --partitions 4', /extra has 3 partitions, not 4\. Give it more: kafka-topics\.sh/)
      expect(await settingsOf(kafka.brokers, 'ops.inflow')).toMatchObject({
        'cleanup.policy': 'delete',
        'retention.ms': '-1',
        'retention.bytes': '-1',
      })
      await refused('topics extra --from 0', /has 3 partitions, each with offsets of its own\. Add --partition N/, 2)
      await refused('topics extra --partition 3', /has no partition 3/, 2)
      await refused('topics extra --partitions 3', /--partitions is for making a topic/, 2)
      expect(await done(folder, `topics extra --from 0 --partition 2 ${config}`)).toBe('there is no message in extra from offset 0 on')
    })

    it('get the settings of the config', async () => {
      const place = folderWith('set.', { topicSettings: { inflow: { 'retention.ms': 86_400_000, 'compression.type': 'zstd' } } })
      mkdirSync(join(place, '.tidemark'))
      await done(place, `topics inflow --create ${config}`)
      expect(await settingsOf(kafka.brokers, 'set.inflow')).toMatchObject({
        'retention.ms': '86400000',
        'compression.type': 'zstd',
        'retention.bytes': '-1',
      })
    })
  })

  describe('reset', () => {
    it('asks, deletes what was read up to an offset, and names no number of records', async () => {
      await refused(
        'reset outflow --before 3',
        /Delete the records of outflow \(offsets 0 to 2\)\? Nobody is there to answer\. Pass --yes/,
        2,
      )
      expect(await done(folder, `reset outflow --before 3 --yes ${config}`)).toBe('deleted the records of outflow (offsets 0 to 2)')
      expect((await json(folder, `topics ${config}`)).find(({ topic }: Printed) => topic === 'outflow').first).toBe(3)
      expect((await json(folder, `status --over 0 ${config}`)).sink.lag).toBe(0)
      expect((await json(folder, `reset outflow --yes ${config}`)).deleted).toBe(null)
      expect(await done(folder, `verify loan_risk@0 ${config}`)).toBeTruthy()
    })
  })

  describe('a topic', () => {
    const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
    const seqs = (place: string) => readRows(warehouseOf(place), 'SELECT _seq FROM loan_risk ORDER BY _seq').map(([seq]) => Number(seq))

    /** Where 2007 is taken, and 2008 only produced. */
    async function halfTaken(topicPrefix: string) {
      const place = folderWith(topicPrefix)
      const produce = async (year: number): Promise<number> =>
        (await json(place, `produce --years ${year} --file ${join(folder, 'loans.csv.gz')} ${config}`)).rows
      await done(place, `apply loan_risk@0 --yes ${config}`)
      const taken = await produce(2007)
      await done(place, `up --until-caught-up ${config}`)
      return { place, produce, taken, all: taken + (await produce(2008)) }
    }

    it('that was deleted and made anew is not gone on with, until reset is told to: then what was lost is produced and taken again', async () => {
      const { place, produce, taken, all } = await halfTaken('anew.')
      await dropTopic(kafka.brokers, 'anew.inflow')
      const lost = new RegExp(
        `the topic inflow that this store goes on from was deleted: ${all - taken} records of it \\(_seq ${taken + 1} to ${all}\\) ` +
          'had not been taken by loan_risk\\. .*tidemark reset inflow --as-it-is',
      )
      await refused('consume --until-caught-up', lost, 1, place)
      await refused(`produce --years 2008 --file ${join(folder, 'loans.csv.gz')}`, lost, 1, place)
      await done(place, `topics inflow --create ${config}`)
      await refused('up --until-caught-up', /was deleted, and the one of that name was made since/, 1, place)
      expect((await json(place, `reset inflow --as-it-is --yes ${config}`)).lost).toEqual([
        { set: 'loan_risk', rows: all - taken, first: taken + 1, last: all },
      ])
      expect(await produce(2008)).toBe(all - taken)
      await done(place, `up --until-caught-up ${config}`)
      expect(seqs(place)).toEqual(upTo(all))
      await refused('verify loan_risk@0', /came from an inflow that was deleted since/, 1, place)
    })

    it('whose records went before they were taken is gone on with by the same command', async () => {
      const { place, produce, taken, all } = await halfTaken('retention.')
      const log = await rawLog('retention.')
      const { next } = (await log.topics()).find(({ topic }) => topic === 'inflow')!.partitions[0]!
      await log.truncate('inflow', 0, next)
      await refused(
        'consume --until-caught-up',
        /the records from \d+ to \d+ were deleted\. To go on with what it holds: tidemark reset inflow --as-it-is/,
        1,
        place,
      )
      await done(place, `reset inflow --as-it-is --yes ${config}`)
      expect(await produce(2008)).toBe(all - taken)
      await done(place, `up --until-caught-up ${config}`)
      expect(seqs(place)).toEqual(upTo(all))
    })

    it('and its store belong to one registry: a machine with another one is refused before it does anything', async () => {
      const { place } = await halfTaken('owner.')
      const stranger = folderWith('owner.')
      const whose =
        /this store belongs to \S+registry\.db on \S+, and the config names \S+registry\.db on \S+: no record could be told by its schema\. Use that registry/
      for (const words of ['apply loan_risk@0 --yes', 'status']) await refused(words, whose, 1, stranger)
      await done(place, `up --until-caught-up ${config}`)
    })
  })

  it('a part that does not open beside Kafka ends the command, and no connection keeps it alive', async () => {
    for (const file of ['registry.db', 'warehouse.db']) {
      const place = folderWith('broken.')
      mkdirSync(join(place, '.tidemark'))
      writeFileSync(join(place, '.tidemark', file), Buffer.alloc(8192, 'no'))
      await refused('status', new RegExp(`${file} is not a database`), 1, place)
    }
  })

  it('status sees a consumer at work: its rate, and its lag going down', async () => {
    const place = folderWith('rate.')
    await done(place, `apply loan_risk@0 --yes ${config}`)
    const up = start(place, `up ${config}`)
    const produce = start(place, `produce --years 2007-2009 --rate 600 --file ${join(folder, 'loans.csv.gz')} ${config}`)
    await until(async () => (await json(place, `status --over 1 ${config}`)).readers.every(({ rate }: Printed) => rate > 100), 10)
    const text = await done(place, `status --over 1 ${config}`)
    expect(text).toMatch(/^sink +outflow +0 +\d+ +\S+ +[\d ]+ offsets$/m)
    for (const one of [produce, up]) {
      one.signal('SIGINT')
      expect((await one.ended).code).toBe(0)
    }
  })
}

unlessMissing(missingForKafka(), () => describe('operations', { timeout: 60_000 }, operations))
