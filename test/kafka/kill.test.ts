/**
 * The loan story on a real Kafka while its parts are killed: producer, consumer, sink and apply with SIGKILL, at random moments and inside
 * transactions, and the broker, with SIGKILL and in order. Afterwards the warehouse must hold exactly the oracle's rows, and Kafka's topics
 * each message once.
 */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPosition } from '../../streams/position.ts'
import { openKafkaLog, type KafkaLog } from '../../utilities/kafka/log.ts'
import { fetchFrom } from '../../utilities/kafka/reader.ts'
import { done, freshFolder, json, rejectsPath, start, tidemark, until, warehouseOf, type Ended } from '../cli-run.ts'
import { loansWithBadLines, withPorts } from '../loan-folders.ts'
import { rejectsIn, rejectsOf, storyDifferences } from '../oracle/compare.ts'
import { readLoanFile } from '../oracle/loan-file.ts'
import { rowsOf, storyOf } from '../oracle/loan-story.ts'
import { chance, isLong, seed } from '../seeded.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { committedRecords, unlike } from './console-consumer.ts'
import { unlessMissing } from '../unless-missing.ts'

const limitMs = 400_000
const killsOfEach = isLong ? 10 : 4
/** Whoever is started again waits for the one that was killed to be given up; a process that gets no time of the machine must not be. */
const sessionTimeoutMs = 2000
const rows = isLong ? 60_000 : 40_000
const producedPerSecond = 1500

let kafka: TestKafka

/** What a stage may say when it gives up while the broker is away; everything else is a failure of the test. */
const brokerIsAway = /^tidemark: (Kafka at \S+ (does not answer|is not ready)|Kafka stopped answering while it was to commit)/m

const config = '--config kafka.json'

type Stage = {
  readonly words: string
  /** How far it has come, as committed. */
  readonly moved: () => Promise<number>
  /** The topic that its transactions write. */
  readonly writes?: string
}

/** What the work beside the kills goes by: how many there were, and the last record that was computed. */
type Watched = { readonly kills: () => number; readonly computed: () => Promise<number> }

type Toll = { kills: number; amidst: number; inTransaction: number; gaveUp: number }

function killTests() {
  beforeAll(async () => void (kafka = await startKafka()), 600_000)
  afterAll(() => kafka?.stop())

  describe('produce, consume and sink on Kafka', () => {
    it(
      'killed inside and outside of transactions, with apply and the broker killed too, through three versions, lose none and double none',
      async () => {
        console.log(`kills at the moments of TIDEMARK_SEED=${seed}`)
        const folder = freshFolder()
        writeFileSync(join(folder, 'kafka.json'), JSON.stringify({ log: { kind: 'kafka', brokers: kafka.brokers, sessionTimeoutMs } }))
        const file = readLoanFile(readFileSync(await loansWithBadLines(folder, rows, seed)))
        const produce = `produce --years 2008-2012 --file loans.csv ${config}`

        await done(folder, `apply loan_risk@0 --yes ${config}`)
        await done(folder, `backfill --years 2007 --file loans.csv ${config}`)
        const killed = await whileKilling(folder, produce, async ({ kills, computed }) => {
          const apply = (words: string) => throughKills(folder, `apply ${words} --yes ${config}`, 2)
          /** Until there were so many kills, and some rows were computed, so that each version has some. */
          const afterKills = async (many: number) => {
            const from = await computed()
            await until(async () => kills() >= many && (await computed()) > from + 150)
          }
          await afterKills(1)
          await restartBroker('kill')
          await afterKills(killsOfEach)
          await apply('loan_risk@1 --cold')
          await afterKills(1.5 * killsOfEach)
          await restartBroker('stop')
          await afterKills(2 * killsOfEach)
          await apply('loan_risk@2 --forward-only')
          await afterKills(2.5 * killsOfEach)
          await restartBroker('kill')
          await afterKills(3 * killsOfEach)
        })
        console.log(
          killed
            .map(
              ([words, { kills, amidst, inTransaction, gaveUp }]) =>
                `${words}: ${kills} kills, ${amidst} after it had moved rows, ${inTransaction} inside a transaction; ` +
                `gave up ${gaveUp} times as the broker was away`,
            )
            .join('\n'),
        )
        for (const [, { kills, amidst }] of killed) {
          expect(kills).toBeGreaterThanOrEqual(killsOfEach)
          expect(amidst).toBeGreaterThan(killsOfEach / 2)
        }
        expect(killed.reduce((sum, [, { inTransaction }]) => sum + inTransaction, 0)).toBeGreaterThan(0)

        await done(folder, produce)
        await done(folder, `up --until-caught-up ${config}`)
        const { versions, unfinished } = await json(folder, `versions loan_risk ${config}`)
        expect(unfinished).toEqual([])
        const story = storyOf(versions[1].switchedAfter, versions[2].switchedAfter)
        expect(story[0]!.until).toBeLessThan(story[1]!.until)
        expect(story[1]!.until).toBeLessThan(file.loans.at(-1)!.seq)
        expect(storyDifferences(warehouseOf(folder), file.loans, story)).toEqual([])
        expect(rejectsIn(rejectsPath(folder, 'inflow'))).toEqual(rejectsOf(file, 2008, 2012))
        expect((await json(folder, `status ${config}`)).sets[0]).toMatchObject({ promoted: 2, live: [2], duplicates: 0, dead: 0, lag: 0 })
        for (const { version } of story) expect(await tidemark(folder, `verify loan_risk@${version} ${config}`)).toMatchObject({ code: 0 })

        const streamed = file.loans.filter(({ year }) => year >= 2008)
        const computed = story.flatMap((owner) =>
          rowsOf(file.loans, owner)
            .filter((row) => (row.at(-1) as number) >= streamed[0]!.seq)
            .map((row) => [row.at(-1), owner.version, row[9], ...(owner.ma100 ? [row[11]] : [])]),
        )
        const [inflow, outflow] = await withPorts(
          folder,
          ({ registry }) =>
            Promise.all([
              committedRecords(registry, kafka.brokers[0]!, 'inflow', ['seq']),
              committedRecords(registry, kafka.brokers[0]!, 'outflow', ['seq', '_version', 'ma50', 'ma100']),
            ]),
          'kafka.json',
        )
        expect(
          unlike(
            inflow.map(({ values }) => values),
            streamed.map(({ seq }) => [seq]),
          ),
        ).toEqual([])
        expect(
          unlike(
            outflow.map(({ values }) => values),
            computed,
          ),
        ).toEqual([])
      },
      limitMs,
    )
  })
}

/**
 * Runs the three stages, each started again whenever it is dead, and kills them until each was killed often enough and the work beside it
 * is done.
 */
async function whileKilling(
  folder: string,
  produce: string,
  beside: (watched: Watched) => Promise<void>,
): Promise<readonly (readonly [string, Toll])[]> {
  const log = await openKafkaLog({ brokers: kafka.brokers })
  try {
    return await withPorts(
      folder,
      async ({ checkpoints, warehouse }) => {
        const stages: readonly Stage[] = [
          { words: `${produce} --rate ${producedPerSecond}`, moved: async () => (await openEnds(log, 'inflow')).stable, writes: 'inflow' },
          { words: `consume ${config}`, moved: async () => (await loadPosition(checkpoints, 'loan_risk', 0)).offset, writes: 'outflow' },
          { words: `sink ${config}`, moved: async () => (await warehouse.progress('sink/outflow/0')) ?? 0 },
        ]
        const tolls = stages.map(({ words }) => [words.split(' ')[0]!, { kills: 0, amidst: 0, inTransaction: 0, gaveUp: 0 }] as const)
        const watched: Watched = {
          kills: () => tolls.reduce((sum, [, toll]) => sum + toll.kills, 0),
          computed: async () => (await loadPosition(checkpoints, 'loan_risk', 0)).seq,
        }
        let going = true
        const enough = () =>
          !going &&
          tolls.every(([, { kills, amidst }]) => kills >= killsOfEach && amidst > killsOfEach / 2) &&
          tolls.some(([, { inTransaction }]) => inTransaction > 0)
        const working = beside(watched).finally(() => (going = false))
        await Promise.all([working, ...stages.map((stage, i) => killOver(folder, log, stage, tolls[i]![1], enough))])
        return tolls
      },
      'kafka.json',
    )
  } finally {
    await log.close()
  }
}

/** In turn: inside a transaction, a moment after it has moved rows, and at any time from its start on. */
async function killOver(folder: string, log: KafkaLog, { words, moved, writes }: Stage, toll: Toll, enough: () => boolean): Promise<void> {
  for (let round = 0; !enough(); round++) {
    const before = await moved()
    const stage = start(folder, words)
    const waitUntilMs = performance.now() + 10_000
    const tooLong = () => stage.hasEnded() || performance.now() > waitUntilMs
    if (round % 3 < 2) await until(async () => tooLong() || (await moved()) > before, 3)
    if (round % 3 === 0 && writes !== undefined) await until(async () => tooLong() || isOpen(await openEnds(log, writes)), 0)
    else await sleep(chance() * (round % 3 === 2 ? 3000 : 60))
    stage.signal('SIGKILL')
    const ended = await stage.ended
    if (ended.code !== null) expectNoHarm(words, ended, toll)
    else {
      toll.kills++
      // Nobody else writes there, and nobody ends the transaction before the stage is started again.
      if (writes !== undefined && isOpen(await openEnds(log, writes))) toll.inTransaction++
      if ((await moved()) > before) toll.amidst++
    }
  }
}

function expectNoHarm(words: string, { code, err }: Ended, toll: Toll): void {
  if (code === 0) throw new Error(`${words} has come to its end before it was killed often enough`)
  expect(`${words}: ${err}`).toMatch(brokerIsAway)
  toll.gaveUp++
}

/** Kills the command, unless it is faster, and then runs it to its end; again when the broker was away. */
async function throughKills(folder: string, words: string, times: number): Promise<void> {
  for (let round = 0; ; round++) {
    const command = start(folder, words)
    if (round < times) {
      await Promise.race([sleep(chance() * 2000), command.ended])
      command.signal('SIGKILL')
    }
    const { code, err } = await command.ended
    if (code === 0) return
    if (code !== null) expect(`${words}: ${err}`).toMatch(brokerIsAway)
  }
}

const script = fileURLToPath(new URL('./kafka.sh', import.meta.url))

/** `kill` is SIGKILL, `stop` a shutdown in order. */
async function restartBroker(way: 'kill' | 'stop'): Promise<void> {
  await promisify(execFile)(script, [way, kafka.directory])
  await sleep(chance() * 1000)
  await kafka.restart()
}

/** Where what is decided ends, and where the topic ends: apart while a transaction is open. */
async function openEnds({ kafka: parts }: KafkaLog, topic: string) {
  if ((await parts.cluster.patiently(() => parts.cluster.partitionsOf(topic))) === 0) return { stable: 0, end: 0 }
  const { lastStable, highWatermark } = await fetchFrom(parts, { topic, partition: 0, from: 0, committed: false, maxBytes: 1, waitMs: 0 })
  return { stable: lastStable, end: highWatermark }
}

const isOpen = ({ stable, end }: { readonly stable: number; readonly end: number }) => stable < end

unlessMissing(missingForKafka(), killTests)
