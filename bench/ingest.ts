/**
 * `npm run bench:ingest`: topics of others in a real Kafka, filled beforehand and read to their ends: events in JSON into inflow, and the
 * changes of a shop's database, in transactions, into facts that are joined to three tables; beside reading the same topics alone.
 */
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { missingForKafka, startKafka } from '../test/kafka/broker.ts'
import { Problem } from '../utilities/values/problem.ts'
import { root, type Finished } from './child.ts'
import { messagesOf, newStore, readAlone, type IngestStore, type LogKind } from './ingest-runs.ts'
import { shopTables, shopTopics, topicOf, transactionTopic } from './ingest-shop.ts'
import { eventPartitions, eventTopic, fillTopics, payments } from './ingest-topics.ts'
import { flag, text, usage, whole, wordsOf } from './options.ts'
import { javaVersion } from './peers/tools.ts'
import { machine, median, megabytes, spread, table, wholeNumber, writeSections } from './report.ts'
import { shopDataOf } from './shop-data.ts'

const parts = ['events', 'changes']
const allLogs: readonly LogKind[] = ['embedded', 'kafka']
const usual = { events: 2_000_000, invoices: 100_000, changes: 500_000 }
const floors = [
  ['the topics alone: read', 'read'],
  ['the topics alone: read and decoded', 'decode'],
] as const

/** What was measured under a name: of each run the messages that it read, and what it took. */
type Lane = { readonly name: string; readonly runs: { readonly messages: number; readonly done: Finished }[] }
type Options = {
  readonly brokers: readonly string[]
  readonly runs: number
  readonly logs: readonly LogKind[]
  readonly node: readonly string[]
}

const say = (said: string) => process.stderr.write(`${said}\n`)

async function main(): Promise<void> {
  const words = wordsOf({ events: text, invoices: text, changes: text, runs: text, only: text, log: text, profile: text, write: flag })
  const { runs = '3', only = parts.join(), log = allLogs.join(), write = false, profile } = words
  const chosen = only.split(',')
  const unknown = chosen.find((name) => !parts.includes(name))
  if (unknown !== undefined) throw usage(`there is no part ${unknown}`, `The parts are ${parts.join(', ')}.`)
  const size = (name: keyof typeof usual) => (words[name] === undefined ? usual[name] : whole(name, words[name], usual[name]))
  const missing = missingForKafka()
  if (missing !== undefined) throw new Problem(`there can be no Kafka: ${missing}`, 'Install it, and run this again.')
  const when = machine({ Node: process.versions.node, SQLite: process.versions['sqlite'], Java: await javaVersion() })
  const sections = new Map<string, string>()
  const broker = await startKafka()
  const options: Options = {
    brokers: broker.brokers,
    runs: whole('runs', runs, 3),
    logs: allLogs.filter((one) => log.split(',').includes(one)),
    node: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  }
  const show = (name: string, title: string, lanes: readonly Lane[]) => {
    const body = textOf(lanes)
    process.stdout.write(`\n${title}\n\n${body}\n`)
    sections.set(name, `${title}. Measured ${when}; load ${loadavg()[0]!.toFixed(1)}.\n\n${body}\n`)
  }
  try {
    if (chosen.includes('events')) {
      const events = size('events')
      show('ingest-events', `Events in JSON, ${wholeNumber(events)} in ${eventPartitions} partitions`, await measureEvents(events, options))
    }
    if (chosen.includes('changes')) {
      const shop = await measureShop(size('invoices'), size('changes'), options)
      show('ingest-snapshot', `The snapshot of a shop, ${wholeNumber(shop.rows)} rows of four tables`, shop.snapshot)
      show('ingest-changes', `Changes of the shop in transactions, ${wholeNumber(shop.count)} of four tables`, shop.changes)
    }
  } finally {
    await broker.stop()
  }
  if (write) writeSections(join(root, 'docs/benchmarks.md'), sections)
}

async function measureEvents(events: number, options: Options): Promise<readonly Lane[]> {
  const { brokers, runs, logs, node } = options
  await fillTopics(brokers, { [eventTopic]: eventPartitions }, payments(events))
  say('the events are there')
  const lanes = lanesOf()
  for (let turn = 1; turn <= runs; turn++) {
    await floorsInto(lanes, brokers, [eventTopic])
    for (const log of logs) {
      const store = await newStore(brokers, 'payments', log)
      await ingestInto(lanes, `ingest, log ${log}`, store, node)
      store.drop()
    }
  }
  return lanes.all
}

async function measureShop(invoices: number, wanted: number, options: Options) {
  const { brokers, runs, logs, node } = options
  const data = await shopDataOf(invoices)
  const shop = shopTopics(data, wanted)
  const topics = [...shopTables.map(topicOf), transactionTopic]
  const sizes = Object.fromEntries(topics.map((topic) => [topic, 1]))
  const [first, then] = [lanesOf(), lanesOf()]
  const stores: { readonly log: LogKind | undefined; readonly store: IngestStore }[] = []
  try {
    await fillTopics(brokers, sizes, shop.snapshot())
    say('the snapshot is there')
    for (let turn = 1; turn <= runs; turn++) {
      await floorsInto(first, brokers, topics)
      for (const log of logs) {
        const store = await newStore(brokers, 'shop', log)
        stores.push({ log, store })
        await ingestInto(first, `ingest, log ${log}`, store, [])
      }
      const store = await newStore(brokers, 'shop', 'embedded')
      stores.push({ log: undefined, store })
      await upInto(first, store, shop.rows)
      store.check(data)
    }
    await fillTopics(brokers, sizes, shop.changes())
    say('the changes are there')
    for (let turn = 1; turn <= runs; turn++) await floorsInto(then, brokers, topics)
    for (const { log, store } of stores) {
      if (log !== undefined) await ingestInto(then, `ingest, log ${log}`, store, node)
      else await upInto(then, store, shop.count)
      await store.command('up --until-caught-up')
      store.check(shop.after)
    }
    return { rows: shop.rows, count: shop.count, snapshot: first.all, changes: then.all }
  } finally {
    for (const { store } of stores) store.drop()
  }
}

function lanesOf() {
  const all: Lane[] = []
  return {
    all,
    add(name: string, messages: number, done: Finished) {
      if (!all.some((one) => one.name === name)) all.push({ name, runs: [] })
      all.find((one) => one.name === name)!.runs.push({ messages, done })
      const took = `${done.seconds.toFixed(1)} s, ${megabytes([done.peakBytes])} MB`
      say(`${name}: ${wholeNumber(messages)} in ${took}; load ${loadavg()[0]!.toFixed(1)}`)
    },
  }
}

type Lanes = ReturnType<typeof lanesOf>

async function floorsInto(lanes: Lanes, brokers: readonly string[], topics: readonly string[]): Promise<void> {
  for (const [name, what] of floors) {
    const done = await readAlone(brokers, what, topics)
    lanes.add(name, (JSON.parse(done.stdout) as { readonly messages: number }).messages, done)
  }
}

async function ingestInto(lanes: Lanes, name: string, store: IngestStore, node: readonly string[]): Promise<void> {
  const done = await store.command('ingest --until-caught-up', node)
  lanes.add(name, messagesOf(done), done)
}

const upInto = async (lanes: Lanes, store: IngestStore, messages: number) =>
  lanes.add('up, embedded, through to the warehouse', messages, await store.command('up --until-caught-up'))

function textOf(lanes: readonly Lane[]): string {
  const rateOf = ({ messages, done }: Lane['runs'][number]) => messages / done.seconds
  const floor = median(lanes[0]!.runs.map(rateOf))
  return table(
    ['', 'thousand messages/s', 'of reading alone', 's', 'processor s', 'peak MB'],
    lanes.map(({ name, runs }) => [
      name,
      spread(runs.map((one) => rateOf(one) / 1000)),
      `${Math.round((median(runs.map(rateOf)) / floor) * 100)} %`,
      spread(runs.map(({ done }) => done.seconds)),
      spread(runs.map(({ done }) => done.cpuSeconds)),
      megabytes(runs.map(({ done }) => done.peakBytes)),
    ]),
  )
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`bench:ingest: ${error.what}. ${error.todo}\n`)
  process.exitCode = error.exitCode
}
