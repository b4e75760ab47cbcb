/** One round: every lane once, one after the other, each checked before its time counts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeWorkDir, run, workDir } from '../child.ts'
import type { Data } from '../data.ts'
import { runAll, type BatchJob, type BatchLane } from './batch-lanes.ts'
import { checkBatch } from './check-batch.ts'
import { checkMessages, type Checked } from './check.ts'
import type { Expected } from './expected.ts'
import { measure, type Measured } from './measure.ts'
import type { Command } from './process.ts'
import { tidemarkProducer, type ProducerJob, type ProducerLane } from './producer-lanes.ts'
import { writeSchemas } from './schemas.ts'
import { tidemarkStream, type StreamJob, type StreamLane } from './stream-lanes.ts'
import type { Topics } from './topics.ts'

/** A lane that can run here. */
type Ready<Lane, Job, Commands = Command> = { readonly lane: Lane; readonly command: (job: Job) => Commands }
export type ReadyStream = Ready<StreamLane, StreamJob>
export type ReadyProducer = Ready<ProducerLane, ProducerJob>
export type ReadyBatch = Ready<BatchLane, BatchJob, readonly Command[]>

/** Of one lane in one round. */
export type Outcome = { readonly word: string; readonly measured: Measured; readonly ties: number }
export type Report = {
  /** Before each lane; false when no more are wanted. */
  readonly ready: (word: string) => Promise<boolean>
  readonly done: (outcome: Outcome) => void
  readonly failed: (word: string, why: string) => void
}

export type Round = {
  readonly number: number
  readonly data: Data
  readonly expected: Expected
  readonly report: Report
  readonly keyed: boolean
}

const frameBytes = 18
const allThree = join(import.meta.dirname, 'definitions.ts')
const byZip = join(import.meta.dirname, 'definitions-keyed.ts')

/** A data directory with the version applied, and the log that the config says. */
async function inDirectory(
  { log, features = allThree }: { readonly log: object; readonly features?: string | undefined },
  work: (dir: string, configFile: string) => Promise<void>,
): Promise<void> {
  makeWorkDir()
  const dir = mkdtempSync(join(workDir, 'peers-'))
  try {
    const configFile = join(dir, 'config.json')
    writeFileSync(configFile, JSON.stringify({ dataDir: join(dir, 'tidemark'), features, log }))
    await run('tidemark.js', ['apply', 'loan_risk@0', '--yes', '--config', configFile])
    await work(dir, configFile)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function attempt(
  word: string,
  { ready, done, failed }: Report,
  work: () => Promise<Measured>,
  check: () => Promise<Checked>,
): Promise<boolean> {
  if (!(await ready(word))) return false
  try {
    const measured = await work()
    done({ word, measured, ties: (await check()).ties })
    return true
  } catch (error) {
    failed(word, (error as Error).message)
    return false
  }
}

export type Kafka = { readonly brokers: readonly string[]; readonly topics: Topics; /** The broker's process. */ readonly pid: number }

export async function kafkaRound(
  kafka: Kafka,
  { number, data, expected, report, keyed }: Round,
  producers: readonly ReadyProducer[],
  streams: readonly ReadyStream[],
): Promise<void> {
  const { brokers: addresses, topics, pid: broker } = kafka
  const brokers = addresses.join()
  const prefix = `r${number}.`
  const { file, years, rows } = data
  await inDirectory(
    { log: { kind: 'kafka', brokers: addresses, topicPrefix: prefix }, features: keyed ? byZip : allThree },
    async (dir, configFile) => {
      const schemas = writeSchemas(dir)
      const inflow = `${prefix}inflow`
      const plain = `${prefix}plain`
      const produced = await produce({ lane: tidemarkProducer, command: await tidemarkProducer.prepare() }, inflow)
      if (!produced) return
      for (const producer of producers) if (producer.lane !== tidemarkProducer) await produce(producer, `${prefix}${producer.lane.word}`)
      if (streams.some(({ lane }) => lane.readsPlain)) await topics.copy(inflow, plain, frameBytes)

      for (const { lane, command } of streams) {
        const mine = lane === tidemarkStream
        const outflow = mine ? `${prefix}outflow` : `${prefix}${lane.word}`
        const wanted = Math.min(rows, lane.atMostRows ?? rows)
        const job = {
          ...schemas,
          brokers,
          inflow,
          plain,
          outflow,
          name: `${prefix}${lane.word}`,
          stateDir: join(dir, lane.word),
          rows: wanted,
          configFile,
          keyed,
        }
        await topics.create(outflow)
        await attempt(
          lane.word,
          report,
          () => measure(topics, { name: lane.name, command: command(job), topic: outflow, rows: wanted, service: lane.service, broker }),
          () => checkMessages(topics.read(outflow), expected, mine ? 'framed row' : 'plain row', wanted),
        )
        if (!mine) await topics.remove([outflow])
      }
      await topics.remove([inflow, plain, `${prefix}outflow`])

      async function produce({ lane, command }: ReadyProducer, topic: string): Promise<boolean> {
        await topics.create(topic)
        const went = await attempt(
          lane.word,
          report,
          () =>
            measure(topics, {
              name: `${lane.name}, producing`,
              command: command({ brokers, topic, file, years, configFile }),
              topic,
              rows,
              service: false,
              broker,
            }),
          () => checkMessages(topics.read(topic), expected, 'framed record', rows),
        )
        if (lane !== tidemarkProducer) await topics.remove([topic])
        return went
      }
    },
  )
}

export async function batchRound({ data, expected, report }: Round, batches: readonly ReadyBatch[]): Promise<void> {
  for (const { lane, command } of batches) {
    await inDirectory({ log: { kind: 'embedded' }, features: lane.definitions }, async (dir, configFile) => {
      const job = { file: data.file, years: data.years, dir, configFile }
      await attempt(
        lane.word,
        report,
        async () => ({ rows: data.rows, rate: undefined, brokerSeconds: 0, ...(await runAll(lane.name, command(job))) }),
        async () => {
          if (lane.forCheck) await runAll(`${lane.name}, for the check`, lane.forCheck(job))
          return checkBatch(data.file, lane.written(job), lane.features, expected)
        },
      )
    })
  }
}
