/** A set over facts on three partitions of a real Kafka: computed once and per key by processes that are killed, while versions change. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ports } from '../../config/wire.ts'
import { knownVersions } from '../../streams/known-versions.ts'
import { loadPositions } from '../../streams/position.ts'
import { done, freshFolder, start, tidemark, until, type Running } from '../cli-run.ts'
import { messagesByChance, saleByDay } from '../fact-messages.ts'
import { rowsOwned, rowsStored, writerOf } from '../facts-in-inflow.ts'
import { goOverAndBack } from '../later-facts.ts'
import { limitMs, withPorts } from '../loan-folders.ts'
import { chance, seed } from '../seeded.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForKafka, startKafka, type TestKafka } from './broker.ts'
import { committedRecords } from './console-consumer.ts'

const partitions = 3
const config = '--config kafka.json'
const definitions = `import { count, date, decimal, fact, featureSet, flag, integer, mean, sum, table, text, timestamp } from 'tidemark'
const lines = table('lines', { key: 'line_id' }, { line_id: text({ bytes: 20 }), account: text({ bytes: 20 }), item: integer(),
  issued: date(), moment: timestamp(), amount: decimal({ digits: 14, scale: 2 }), unpaid: flag() })
const sale = fact('sale', { of: lines, at: 'issued' }, { account: text({ bytes: 20 }), item: integer(),
  amount: decimal({ digits: 14, scale: 2 }), unpaid: flag(), issued: date({ nullable: false }) })
export const v0 = featureSet({ name: 'sales', of: sale, per: 'account' }, {
  owing: sum('amount', { all: true, when: 'unpaid' }), overdue: sum('amount', { olderThanDays: 30, when: 'unpaid' }) })
export const v1 = v0.add({ recent: count('item', { days: 9 }), ten: mean('amount', { last: 10, round: 2 }) })
export const v2 = v1.replace({ overdue: sum('amount', { olderThanDays: 10, when: 'unpaid' }) })`

let kafka: TestKafka

function factTests() {
  beforeAll(async () => void (kafka = await startKafka()), 600_000)
  afterAll(() => kafka?.stop())

  describe('a set over facts on three partitions of Kafka', () => {
    it(
      'has each row once, as a plain model says, whoever is killed, through three versions',
      async () => {
        console.log(`kills at the moments of TIDEMARK_SEED=${seed}`)
        const folder = freshFolder()
        writeFileSync(join(folder, 'features.ts'), definitions)
        const log = { kind: 'kafka', brokers: kafka.brokers, topicPrefix: 'facts.', partitions, sessionTimeoutMs: 2000 }
        writeFileSync(join(folder, 'kafka.json'), JSON.stringify({ features: 'features.ts', log }))
        await done(folder, `apply sales@0 --yes ${config}`)
        const messages = messagesByChance(seed, { fact: saleByDay, messages: 1500, movesApart: true })

        const stop = whileKilled(folder)
        await withPorts(
          folder,
          async (ports) => {
            const write = writerOf({ fact: saleByDay, per: 'account', partitions })
            for (let from = 0, piece = 0; from < messages.length; piece++) {
              const to = endBehind(messages, from + 60)
              const some = messages.slice(from, to)
              await write(
                ports,
                some,
                some.flatMap(({ groupEnd }, i) => (groupEnd && i < some.length - 1 ? [i + 1] : [])),
              )
              // The version before has made rows of its own by then.
              if (piece === 8 || piece === 16) await until(() => hasTaken(ports, messages[from]!.seq), 100)
              if (piece === 8) await done(folder, `apply sales@1 --forward-only --yes ${config}`)
              if (piece === 16) await done(folder, `apply sales@2 --yes ${config}`)
              from = to
            }
          },
          'kafka.json',
        )
        console.log(`${await stop()} kills`)
        await done(folder, `up --until-caught-up ${config}`)

        await withPorts(folder, (ports) => expectRight(ports, messages), 'kafka.json')
        for (const version of [0, 1, 2]) {
          const { code, err, out } = await tidemark(folder, `verify sales@${version} ${config}`)
          expect({ code, err, out }).toMatchObject({ code: 0, err: '' })
        }
      },
      3 * limitMs,
    )

    it(
      'goes over to a later version of its fact and back, beside a consumer that stays',
      () => {
        const logOf = (topicPrefix: string) => ({ kind: 'kafka', brokers: kafka.brokers, topicPrefix, partitions, sessionTimeoutMs: 2000 })
        return goOverAndBack(logOf('later.'), logOf('other.'))
      },
      3 * limitMs,
    )
  })
}

const hasTaken = async ({ checkpoints }: Pick<Ports, 'checkpoints'>, atLeast: number) =>
  (await loadPositions(checkpoints, 'sales')).some(({ seq }) => seq >= atLeast)

/** The end of the group that a message lies in. */
function endBehind(messages: readonly { readonly groupEnd: boolean }[], at: number): number {
  const end = messages.findIndex(({ groupEnd }, i) => i >= at && groupEnd)
  return end < 0 ? messages.length : end + 1
}

/** Two processes that consume and sink, of which one is killed again and again and another one comes. */
function whileKilled(folder: string): () => Promise<number> {
  let kills = 0
  let stopped = false
  const members: Running[] = [start(folder, `up ${config}`), start(folder, `up ${config}`)]
  const killing = (async () => {
    while (!stopped) {
      await new Promise((next) => setTimeout(next, 1000 + 3000 * chance()))
      if (stopped) return
      const [one] = members.splice(Math.floor(chance() * members.length), 1)
      one!.signal('SIGKILL')
      await one!.ended
      kills++
      members.push(start(folder, `up ${config}`))
    }
  })()
  return async () => {
    stopped = true
    await killing
    for (const member of members) {
      member.signal('SIGINT')
      expect(await member.ended).toMatchObject({ code: 0 })
    }
    return kills
  }
}

async function expectRight(ports: Ports, messages: ReturnType<typeof messagesByChance>): Promise<void> {
  const positions = await loadPositions(ports.checkpoints, 'sales')
  expect(positions).toHaveLength(partitions)
  for (const { definition } of await knownVersions(ports.registry, 'sales')) {
    const { version } = definition
    const owners = positions.map(({ runs, seq }) => {
      const { after, until } = runs.findLast((one) => one.version === version)!
      return { after, until: until ?? seq }
    })
    const expected = rowsOwned(definition, messages, owners)
    expect(expected.length).toBeGreaterThan(20)
    expect({ version, rows: await rowsStored(ports, definition) }).toEqual({ version, rows: expected })
  }
  // No row was written into outflow twice.
  const outflow = await committedRecords(ports.registry, kafka.brokers[0]!, 'facts.outflow.sale', ['seq', '_version', 'account', '_change'])
  const told = outflow.map(({ values }) => JSON.stringify(values))
  expect(new Set(told).size).toBe(told.length)
}

unlessMissing(missingForKafka(), factTests)
