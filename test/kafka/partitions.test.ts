/**
 * A set with a key on four partitions of a real Kafka: consumers and sinks share the partitions while members are killed, join and leave.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPositions } from '../../streams/position.ts'
import { done, freshFolder, json, start, tidemark, until, warehouseOf, type Running } from '../cli-run.ts'
import { generated, limitMs, only, withPorts } from '../loan-folders.ts'
import { differences } from '../oracle/compare.ts'
import { keyedStory } from '../oracle/keyed-story.ts'
import { readLoanFile } from '../oracle/loan-file.ts'
import type { Row } from '../oracle/loan-story.ts'
import { chance, isLong, seed } from '../seeded.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { committedRecords, unlike } from './console-consumer.ts'
import { asAdmin } from './stores.ts'
import { unlessMissing } from '../unless-missing.ts'

const partitions = 4
/** How often members go and others come, and in which of these rounds the two versions are applied. */
const rounds = isLong ? { count: 7, cold: 2, forward: 5 } : { count: 4, cold: 1, forward: 3 }
const { rows, perSecond } = isLong ? { rows: 60_000, perSecond: 500 } : { rows: 40_000, perSecond: 300 }
const config = '--config kafka.json'
const keyed = `import { ema, featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'by_state', of: rejectedLoan, per: 'state' }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })
export const v2 = v1.replace({ ma50: ema('risk_score', { span: 50, round: 3 }) })`
const keyless = `import { featureSet, mean, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'plain', of: rejectedLoan }, { ma50: mean('risk_score', { last: 50, round: 3 }) })`

let kafka: TestKafka

function folderWith(
  definitions: string,
  { topicPrefix, partitions }: { readonly topicPrefix: string; readonly partitions: number },
): string {
  const folder = freshFolder()
  writeFileSync(join(folder, 'features.ts'), definitions)
  const log = { kind: 'kafka', brokers: kafka.brokers, topicPrefix, partitions, sessionTimeoutMs: 2000 }
  writeFileSync(join(folder, 'kafka.json'), JSON.stringify({ features: 'features.ts', log }))
  return folder
}

/** The partitions that a consumer says it has begun to work on. */
const begun = (consumer: Running) => {
  const said = consumer.err().matchAll(/from record [\d ]+ on(?:, partition (\d+))?$/gm)
  return new Set([...said].map(([, partition = '0']) => Number(partition)))
}

async function ended(member: Running): Promise<void> {
  member.signal('SIGINT')
  const { code, err } = await member.ended
  expect({ code, err }).toMatchObject({ code: 0 })
}

function partitionTests() {
  beforeAll(async () => void (kafka = await startKafka()), 600_000)
  afterAll(() => kafka?.stop())

  describe('a set with a key on four partitions of Kafka', () => {
    it(
      'is computed once and per key by consumers that are killed, join and leave, through three versions',
      async () => {
        console.log(`kills at the moments of TIDEMARK_SEED=${seed}`)
        const file = await generated(rows, seed)
        const { loans } = readLoanFile(readFileSync(file))
        const folder = folderWith(keyed, { topicPrefix: 'keyed.', partitions })
        await done(folder, `backfill --years 2007 --file ${file} ${config}`)
        const produce = start(folder, `produce --years 2008-2012 --rate ${perSecond} --file ${file} ${config}`)
        const kills = await whileMembersComeAndGo(folder, produce)
        produce.signal('SIGINT')
        expect(await produce.ended).toMatchObject({ code: 0 })
        console.log(`${kills} kills`)
        await done(folder, `produce --years 2008-2012 --file ${file} ${config}`)
        await done(folder, `up --until-caught-up ${config}`)

        const [inflow, outflow] = await withPorts(
          folder,
          ({ registry }) =>
            Promise.all([
              committedRecords(registry, kafka.brokers[0]!, 'keyed.inflow', ['seq', 'state']),
              committedRecords(registry, kafka.brokers[0]!, 'keyed.outflow', ['seq', '_version', 'ma50', 'ma100']),
            ]),
          'kafka.json',
        )
        const streamed = loans.filter(({ year }) => year >= 2008)
        const partitionOf = partitionsOfKeys(inflow)
        const bySeq = (a: readonly unknown[], b: readonly unknown[]) => Number(a[0]) - Number(b[0])
        expect(
          unlike(
            inflow.map(({ values: [seq] }) => [seq]).toSorted(bySeq),
            streamed.map(({ seq }) => [seq]),
          ),
        ).toEqual([])

        const switches = (version: number) => {
          const [shown] = only(folder, `SELECT switches FROM tidemark_versions WHERE version = ${version}`)
          const byPartition = (JSON.parse(String(shown)) as { partition: number; afterSeq: number }[]).toSorted(
            (a, b) => a.partition - b.partition,
          )
          return byPartition.map(({ afterSeq }) => afterSeq)
        }
        const [first, second] = [switches(1), switches(2)]
        expect([first.length, second.length]).toEqual([partitions, partitions])
        const story = keyedStory(loans, (key) => partitionOf.get(key) ?? 0, { first, second })
        for (const [version, rows] of story.versions.entries()) {
          expect(rows.length).toBeGreaterThan(0)
          expect(differences(warehouseOf(folder), `by_state_v${version}`, rows)).toEqual([])
          expect(await tidemark(folder, `verify by_state@${version} ${config}`)).toMatchObject({ code: 0 })
        }
        expect(differences(warehouseOf(folder), 'by_state', story.shown)).toEqual([])

        // Each record once, in the partition of its key, and there in the order of the records.
        const messageOf = (row: Row, version: number) => ({
          partition: partitionOf.get((row[6] ?? '') as string)!,
          message: [row.at(-1), version, row[9], ...(version > 0 ? [row[11]] : [])],
        })
        const isStreamed = (row: Row) => (row.at(-1) as number) >= streamed[0]!.seq
        const computed = story.versions.flatMap((rows, version) => rows.filter(isStreamed).map((row) => messageOf(row, version)))
        for (let partition = 0; partition < partitions; partition++) {
          const mine = computed
            .filter((one) => one.partition === partition)
            .map(({ message }) => message)
            .toSorted(bySeq)
          expect(mine.length).toBeGreaterThan(1000)
          expect(
            unlike(
              outflow.filter((one) => one.partition === partition).map(({ values }) => values),
              mine,
            ),
          ).toEqual([])
        }
        expect((await json(folder, `versions by_state ${config}`)).unfinished).toEqual([])
        expect((await json(folder, `status ${config}`)).sets[0]).toMatchObject({ promoted: 2, live: [2], duplicates: 0, dead: 0, lag: 0 })
      },
      2 * limitMs,
    )
  })

  describe('a set without a key on four partitions of Kafka', () => {
    it(
      'is refused by plan, apply and consume, by name and with what to do',
      async () => {
        const file = await generated(2000)
        const four = folderWith(keyless, { topicPrefix: 'four.', partitions: 4 })
        for (const words of ['plan plain@0', 'apply plain@0 --yes', `produce --years 2008 --file ${file}`]) {
          const { code, err } = await tidemark(four, `${words} ${config}`)
          expect(code).toBe(1)
          expect(err).toMatch(
            /^tidemark: (plain has no key, so its records are one stream, and )?inflow has 4 partitions.*\. Give (it|the feature set) a key \(per: 'FIELD'\) in the definitions, or .*\.\n$/,
          )
        }

        // Applied while inflow had one, to which somebody has added others since.
        const grown = folderWith(keyless, { topicPrefix: 'grown.', partitions: 1 })
        await done(grown, `apply plain@0 --yes ${config}`)
        await done(grown, `produce --years 2008 --file ${file} ${config}`)
        await asAdmin(kafka.brokers, (admin) => admin.createPartitions({ topicPartitions: [{ topic: 'grown.inflow', count: 4 }] }))
        for (const words of ['plan plain@0', 'consume', 'consume --until-caught-up']) {
          const { code, err } = await tidemark(grown, `${words} ${config}`)
          expect(code).toBe(1)
          expect(err).toMatch(
            /^tidemark: plain (was applied on 1 partition of inflow, which has 4 partitions now|has no key, .* inflow has 4 partitions)\b.*\. (Start over|Give it a key) .*\.\n$/,
          )
        }
      },
      limitMs,
    )
  })
}

/**
 * Two consumers and two sinks; members are killed, or told to go, and others come, while two versions are applied. Returns the number of
 * kills.
 */
async function whileMembersComeAndGo(folder: string, produce: Running): Promise<number> {
  return withPorts(
    folder,
    async ({ checkpoints }) => {
      const offsets = async () => (await loadPositions(checkpoints, 'by_state')).map(({ offset }) => offset)
      /** Until every partition has moved, whoever works on it. */
      const allMoved = async () => {
        const before = await offsets()
        await until(async () => {
          if (produce.hasEnded()) throw new Error('all was produced before the kills were done')
          return (await offsets()).every((offset, partition) => offset > before[partition]!)
        })
      }
      const consumers = [start(folder, `consume ${config}`)]
      await until(() => begun(consumers[0]!).size === partitions)
      consumers.push(start(folder, `consume ${config}`))
      await until(() => begun(consumers[1]!).size === partitions / 2)
      const sinks = [start(folder, `sink ${config}`), start(folder, `sink ${config}`)]
      let kills = 0
      const oneOf = (members: Running[]) => members.splice(Math.floor(chance() * members.length), 1)[0]!
      const killed = async (member: Running) => {
        member.signal('SIGKILL')
        const { code, err } = await member.ended
        expect({ code, err }).toMatchObject({ code: null })
        kills++
      }
      const allBegun = () => until(() => consumers.every((one) => one.hasEnded() || begun(one).size > 0))
      for (let round = 0; round < rounds.count; round++) {
        // Every consumer has been given something before one goes.
        await allBegun()
        await sleep(chance() * 400)
        await killed(oneOf(consumers))
        if (round % 2 === 0) await allMoved()
        consumers.push(start(folder, `consume ${config}`))
        if (round % 3 === 1) {
          await killed(oneOf(sinks))
          sinks.push(start(folder, `sink ${config}`))
          consumers.push(start(folder, `consume ${config}`))
        }
        if (round % 3 === 2) {
          await allBegun()
          await ended(oneOf(consumers))
        }
        if (round === rounds.cold) await done(folder, `apply by_state@1 --cold --yes ${config}`)
        if (round === rounds.forward) await done(folder, `apply by_state@2 --forward-only --yes ${config}`)
        if (round === rounds.cold || round === rounds.forward) await allMoved()
      }
      await allBegun()
      await allMoved()
      for (const member of [...consumers, ...sinks]) await ended(member)
      return kills
    },
    'kafka.json',
  )
}

/** A key must not lie in two partitions. */
function partitionsOfKeys(inflow: Awaited<ReturnType<typeof committedRecords>>): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const { partition, values } of inflow) {
    const key = (values[1] ?? '') as string
    expect(found.get(key) ?? partition).toBe(partition)
    found.set(key, partition)
  }
  expect(new Set(found.values()).size).toBe(partitions)
  return found
}

unlessMissing(missingForKafka(), partitionTests)
