/**
 * What an operator may meet in months, on real brokers: restarts, slow brokers, leaders that move, poison, deleted topics, processes that
 * stand still.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { Kafka, type Admin } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaLog } from '../../utilities/kafka/log.ts'
import { done, freshFolder, json, start, tidemark, until, warehouseOf, type Printed, type Running } from '../cli-run.ts'
import { batchOf, numbered, readTexts } from '../contracts/messages.ts'
import { readRows } from '../oracle/compare.ts'
import { joinKafka, missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { followInflow, logOn } from './stores.ts'
import { unlessMissing } from '../unless-missing.ts'

let kafka: TestKafka
let admin: Admin
let loans: string
const config = '--config kafka.json'

function folderWith(topicPrefix: string, more: object = {}): string {
  const folder = freshFolder()
  writeFileSync(join(folder, 'kafka.json'), JSON.stringify({ log: { kind: 'kafka', brokers: kafka.brokers, topicPrefix, ...more } }))
  return folder
}

async function applied(topicPrefix: string, more: object = {}): Promise<string> {
  const folder = folderWith(topicPrefix, more)
  await done(folder, `apply loan_risk@0 --yes ${config}`)
  return folder
}

const seqs = (folder: string) => readRows(warehouseOf(folder), 'SELECT _seq FROM loan_risk ORDER BY _seq').map(([seq]) => Number(seq))
const sunk = (folder: string, rows: number) => until(() => seqs(folder).length === rows, 50)

async function send(topicPrefix: string, topic: string, texts: readonly string[]) {
  const log = await openKafkaLog({ brokers: kafka.brokers, topicPrefix })
  const writer = await log.writer('somebody else')
  await writer.commit({ append: [{ topic, partition: 0, batch: batchOf(texts) }] })
  await log.close()
}

async function ended(one: Running) {
  one.signal('SIGINT')
  const { code, err } = await one.ended
  expect({ code, err }).toMatchObject({ code: 0 })
  return err
}

async function upIn(folder: string): Promise<Running> {
  const up = start(folder, `up ${config}`)
  await until(() => up.err().includes('loan_risk@0') || up.hasEnded())
  if (up.hasEnded()) throw new Error(up.err())
  return up
}

async function rowsOf(produce: Running): Promise<number> {
  const { code, out, err } = await produce.ended
  expect({ code, err }).toMatchObject({ code: 0 })
  return Number(/produced ([\d ]+) records/.exec(out)![1]!.replaceAll(' ', ''))
}

const troubles = (err: string) => err.split('\n').filter((line) => line.startsWith('kafka: '))

function stayingUp() {
  beforeAll(async () => {
    kafka = await startKafka()
    admin = new Kafka({ brokers: [...kafka.brokers], logLevel: 0 }).admin()
    await admin.connect()
    const folder = freshFolder()
    await done(folder, 'generate --rows 60000 --seed 3 --out loans.csv.gz')
    loans = join(folder, 'loans.csv.gz')
  }, 600_000)
  afterAll(async () => {
    await admin?.disconnect()
    await kafka?.stop()
  })

  it('a message that is no record goes to inflow.dead with its reason, is counted, and stops nothing', async () => {
    const folder = await applied('poison.')
    const up = await upIn(folder)
    const { rows: first } = await json(folder, `produce --years 2007 --file ${loans} ${config}`)
    await send('poison.', 'inflow', ['poison', 'more poison, longer than the header of a frame'])
    const { rows: second } = await json(folder, `produce --years 2008 --file ${loans} ${config}`)
    await sunk(folder, first + second)
    expect((await json(folder, `status --over 0 ${config}`)).sets[0]).toMatchObject({ dead: 2, lag: 0, duplicates: 0 })
    const dead: Printed[] = await json(folder, `topics inflow.dead ${config}`)
    expect(dead.map(({ fields: { reason, value } }) => [reason, Buffer.from(value, 'hex').toString()])).toEqual([
      ['it is shorter than the header of a framed message', 'poison'],
      ['it is not framed: its first byte is not 0x03', 'more poison, longer than the header of a frame'],
    ])
    await ended(up)
  })

  it('a record too large for outflow, or a letter too large for inflow.dead, goes there cut to what fits, and every version agrees on it', async () => {
    const sizes = { inflow: 20_000, outflow: 900, 'inflow.dead': 700 }
    const topicSettings = Object.fromEntries(Object.entries(sizes).map(([topic, size]) => [topic, { 'max.message.bytes': size }]))
    const folder = folderWith('large.', { topicSettings })
    const [header] = gunzipSync(readFileSync(loans)).toString().split('\n')
    const row = (title: string, score: number) => `1000.0,2007-05-26,${title},${score},10%,481xx,NM,4 years,0.0`
    writeFileSync(
      join(folder, 'some.csv'),
      `${[header, row('a', 10), row('b'.repeat(1000), 20), row('c'.repeat(650), 30), row('d', 50)].join('\n')}\n`,
    )
    await done(folder, `apply loan_risk@0 --yes ${config}`)
    const up = await upIn(folder)
    await done(folder, `produce --years 2007 --file some.csv ${config}`)
    await send('large.', 'inflow', ['poison '.repeat(1000)])
    await sunk(folder, 3)
    await until(async () => (await json(folder, `status --over 0 ${config}`)).sets[0].lag === 0, 100)
    const status: Printed = await json(folder, `status --over 0 ${config}`)
    expect(status.sets[0]).toMatchObject({ position: 4, dead: 2, duplicates: 0 })
    const dead: Printed[] = await json(folder, `topics inflow.dead ${config}`)
    expect(dead.map(({ fields: { reason } }) => reason)).toEqual([
      expect.stringMatching(
        /^it has 10\d\d bytes, and a row of more than \d+, without its features, does not fit into outflow \(the first of its 10\d\d bytes\)$/,
      ),
      'it is not framed: its first byte is not 0x03 (the first of its 7000 bytes)',
    ])
    for (const text of await readTexts(await open('large.'), 'inflow.dead')) expect(text.length).toBeGreaterThan(400)

    await done(folder, `apply loan_risk@1 --backfill --yes ${config}`)
    await ended(up)
    for (const version of [0, 1]) {
      expect(
        readRows(warehouseOf(folder), `SELECT _seq, ma50 FROM loan_risk_v${version} ORDER BY _seq`).map((cells) => cells.map(Number)),
      ).toEqual([
        [1, 10],
        [3, 20],
        [4, 30],
      ])
      await done(folder, `verify loan_risk@${version} ${config}`)
    }
  })

  it('a broker that is killed and started again: said once, once when it is back, and every row is there once', async () => {
    const folder = await applied('killed.')
    const up = await upIn(folder)
    const produce = start(folder, `produce --years 2007-2009 --rate 1500 --file ${loans} ${config}`)
    await until(() => seqs(folder).length > 300, 20)
    await kafka.kill()
    await sleep(2500)
    await kafka.restart()
    await sunk(folder, await rowsOf(produce))
    const said = troubles(await ended(up))
    expect(said.length).toBeGreaterThanOrEqual(2)
    expect(said[0]).toMatch(/does not answer|is not ready/)
    // In pairs: nobody says again what was said already.
    said.forEach((line, i) => expect(line).toMatch(i % 2 === 0 ? /trying again$/ : /answers again$/))
    expect(said.length % 2).toBe(0)
    expect((await json(folder, `status --over 0 ${config}`)).sets[0]).toMatchObject({ dead: 0, lag: 0 })
  }, 120_000)

  it('a broker that is slow, but not slower than a request is given, is waited for without a word', async () => {
    const folder = await applied('slow.')
    const up = await upIn(folder)
    const produce = start(folder, `produce --years 2007-2009 --rate 1500 --file ${loans} ${config}`)
    await until(() => seqs(folder).length > 300, 20)
    kafka.signal('SIGSTOP')
    await sleep(3000)
    kafka.signal('SIGCONT')
    await sunk(folder, await rowsOf(produce))
    expect(troubles(await ended(up)).filter((line) => line.includes('does not answer'))).toEqual([])
  }, 120_000)

  it('a broker that answers nothing for longer than a request is given: tried again, and every commit is there once', async () => {
    const notes: string[] = []
    const { log } = await logOn(
      kafka.brokers,
      { inflow: 1 },
      {
        requestTimeoutMs: 1000,
        connectTimeoutMs: 1000,
        transactionTimeoutMs: 60_000,
        note: (text, kind) => void (kind === 'warning' && notes.push(text)),
      },
    )
    const { followed, stop, following } = followInflow(log)
    const writer = await log.writer('w')
    const commit = (text: string) => writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf([text]) }] })
    for (let i = 0; i < 20; i++) await commit(String(i))
    kafka.signal('SIGSTOP')
    const late = commit('20')
    await sleep(4000)
    kafka.signal('SIGCONT')
    await late
    await commit('21')
    await until(() => followed.length >= 22)
    stop.abort()
    await following
    expect(followed).toEqual(numbered('', 22))
    expect(notes[0]).toMatch(/does not answer .*trying again$/)
    expect(notes.at(-1)).toMatch(/answers again$/)
    notes.forEach((note, i) => expect(note).toMatch(i % 2 === 0 ? /trying again$/ : /answers again$/))
  }, 60_000)

  it('a commit of somebody who follows a topic waits for as long as Kafka is away, but not once he is told to leave', async () => {
    const { log } = await logOn(kafka.brokers, { inflow: 1 }, { patienceMs: 300 })
    const writer = await log.writer('w')
    const commit = (text: string) => writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf([text]) }] })
    const { followed, stop, following } = followInflow(log)
    await commit('a')
    await until(() => followed.length === 1)
    await kafka.kill()
    const late = commit('b')
    await sleep(2000)
    await kafka.restart()
    await late
    await until(() => followed.length === 2)
    expect(followed).toEqual(['a', 'b'])
    await kafka.kill()
    try {
      const never = commit('c')
      setTimeout(() => stop.abort(), 500)
      await expect(never).rejects.toThrow(/does not answer .*Check the brokers/)
      await following
    } finally {
      await kafka.restart()
    }
  }, 60_000)

  describe('a topic that is deleted while it is read', () => {
    it('ends whoever reads it with what happened and what to do', async () => {
      const folder = await applied('deleted.')
      const up = await upIn(folder)
      await done(folder, `produce --years 2007 --file ${loans} ${config}`)
      await admin.deleteTopics({ topics: ['deleted.inflow'] })
      const { code, err } = await up.ended
      expect(code).toBe(1)
      expect(err.trim().split('\n').at(-1)).toMatch(
        /^tidemark: the topic inflow that this store goes on from was deleted.*tidemark reset inflow --as-it-is/,
      )
    })

    it('and made anew is told apart from the old one', async () => {
      const { log, topicPrefix } = await logOn(kafka.brokers, { inflow: 1 }, {})
      const writer = await log.writer('w')
      await writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf(numbered('', 50)) }] })
      await admin.deleteTopics({ topics: [`${topicPrefix}inflow`] })
      await until(async () => !(await admin.listTopics()).includes(`${topicPrefix}inflow`))
      await log.create('inflow', 1)
      const reading = Array.fromAsync(log.read('inflow', { partition: 0, from: 51 }))
      await expect(reading).rejects.toThrow(
        /ends at 0, before 51, where reading should go on\. To go on with what it holds: tidemark reset inflow --as-it-is/,
      )
    })
  })

  it('processes that stand still for longer than Kafka keeps a transaction open go on, or say what to do, with every row once', async () => {
    const folder = await applied('still.', { transactionTimeoutMs: 1000 })
    const up = await upIn(folder)
    let produce: Running | undefined
    const words = `produce --years 2007-2010 --rate 1200 --file ${loans} ${config}`
    for (let round = 0; round < 3; round++) {
      if (!produce || produce.hasEnded()) produce = start(folder, words)
      const before = seqs(folder).length
      await until(() => seqs(folder).length > before || produce!.hasEnded(), 20)
      // Now and then this is in the middle of a transaction.
      await sleep(37 * round)
      const halted = (round === 1 ? [up, produce] : round === 0 ? [up] : [produce]).filter((one) => !one.hasEnded())
      for (const { pid } of halted) process.kill(pid, 'SIGSTOP')
      await sleep(2500)
      for (const { pid } of halted) process.kill(pid, 'SIGCONT')
    }
    const { code, err } = await produce!.ended
    if (code !== 0)
      expect(err.trim().split('\n').at(-1)).toMatch(
        /^tidemark: another producer took over inflow, or this one was stopped, or the log away, for so long/,
      )
    await done(folder, `produce --years 2007-2010 --file ${loans} ${config}`)
    const { firstSeq: from, lastSeq: to } = (await json(folder, `status --over 0 ${config}`)).inflow[0]
    await sunk(folder, to)
    expect(from).toBe(1)
    const log = await open('still.')
    expect(await readTexts(log, 'inflow')).toHaveLength(to)
    // One more tells services which version is shown.
    expect(await readTexts(log, 'outflow')).toHaveLength(to + 1)
    expect(new Set(seqs(folder)).size).toBe(to)
    await ended(up)
    expect((await json(folder, `status --over 0 ${config}`)).sets[0]).toMatchObject({ lag: 0, dead: 0, duplicates: 0 })
  }, 120_000)

  it('standing still between commits costs nothing, however long', async () => {
    const { log } = await logOn(kafka.brokers, { inflow: 1 }, { transactionTimeoutMs: 1000 })
    const writer = await log.writer('w')
    const commit = (text: string) => writer.commit({ append: [{ topic: 'inflow', partition: 0, batch: batchOf([text]) }] })
    await commit('a')
    await sleep(2500)
    await commit('b')
    expect(await readTexts(log, 'inflow')).toEqual(['a', 'b'])
  })

  it('a second producer takes over: the first ends with what happened and what to do, and inflow holds every row once', async () => {
    const [one, two] = [await applied('two.'), folderWith('two.')]
    // The same registry, on another machine.
    cpSync(join(one, '.tidemark'), join(two, '.tidemark'), { recursive: true })
    const first = start(one, `produce --years 2007-2012 --rate 500 --file ${loans} ${config}`)
    await until(async () => (await json(one, `status --over 0 ${config}`)).readers[0].lag > 0, 20)
    const second = await tidemark(two, `produce --years 2007 --file ${loans} ${config}`)
    expect(second).toMatchObject({ code: 0 })
    const { code, err } = await first.ended
    expect(code).toBe(1)
    expect(err.trim().split('\n').at(-1)).toMatch(
      /^tidemark: another producer took over inflow, .* run this again: it goes on from what inflow holds\.$/,
    )
    await done(one, `produce --years 2007-2008 --file ${loans} ${config}`)
    const status = await json(one, `status --over 0 ${config}`)
    // Years are noted as they were asked for: together they are all of it, from the first row on.
    expect(status.inflow[0].firstSeq).toBe(1)
    expect(status.readers[0].lag).toBe(status.inflow.at(-1).lastSeq)
  }, 60_000)

  it('the leader of topics and the coordinator of transactions and groups move to another broker: nothing is lost, doubled or stuck', async () => {
    const { log, topicPrefix } = await logOn(kafka.brokers, { inflow: 1 }, {})
    const second = await joinKafka(kafka)
    try {
      const { followed, stop, following } = followInflow(log)
      const shares: (readonly number[])[] = []
      const sharing = (async () => {
        for await (const ours of log.share('inflow', 'workers', stop.signal)) shares.push(ours)
      })()
      const writer = await log.writer('w')
      let committed = 0
      let moving = true
      const committing = (async () => {
        while (moving) {
          await writer.commit({
            append: [{ topic: 'inflow', partition: 0, batch: batchOf([String(committed)]) }],
            save: [{ name: 'w/0', key: '', value: batchOf([String(committed)]).bytes }],
          })
          committed++
        }
      })()
      await until(() => committed > 20 && shares.length > 0)
      const topics = [`${topicPrefix}inflow`, `${topicPrefix}tidemark.checkpoints`, '__transaction_state', '__consumer_offsets']
      for (const broker of [2, 1]) {
        const { topics: known } = await admin.fetchTopicMetadata({ topics })
        await admin.alterPartitionReassignments({
          topics: known.map(({ name, partitions }) => ({
            topic: name,
            partitionAssignment: partitions.map(({ partitionId }) => ({ partition: partitionId, replicas: [broker] })),
          })),
          timeout: 30_000,
        })
        await until(
          async () =>
            (await admin.fetchTopicMetadata({ topics })).topics.every(({ partitions }) =>
              partitions.every(({ leader }) => leader === broker),
            ),
          50,
        )
        const before = committed
        await until(() => committed > before + 20)
      }
      moving = false
      await committing
      await until(() => followed.length >= committed)
      stop.abort()
      await Promise.all([following, sharing])
      expect(followed).toEqual(numbered('', committed))
      expect(shares.every((ours) => ours.length === 1)).toBe(true)
    } finally {
      await second.stop()
    }
  }, 120_000)
}

async function open(topicPrefix: string) {
  const log = await openKafkaLog({ brokers: kafka.brokers, topicPrefix })
  onTestFinished(log.close)
  return log
}

unlessMissing(missingForKafka(), () => describe('staying up', { timeout: 60_000 }, stayingUp))
