/**
 * The shop on Kafka, exactly once, by Tidemark and by Flink SQL: all rows, and then, while both run, a price list of which every price is
 * another. Flink reads topics of changes by key (upsert-kafka, JSON). Tidemark reads no such topics yet: `load` gives it the same rows as
 * files.
 */
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import type { Shop } from '../examples/invoices/shop.ts'
import { startKafka } from '../test/kafka/broker.ts'
import { run, workDir } from './child.ts'
import { watch, type Watched } from './peers/process.ts'
import { flinkShop } from './peers/stream-lanes.ts'
import { openTopics } from './peers/topics.ts'
import { differingTotals, totalsOf, totalsText, type ShopData } from './shop-data.ts'
import { checkTotals, shopDefinitions } from './shop-embedded.ts'

export type ShopLane = {
  readonly name: string
  /** Until the last total of all rows, and of the other prices, was visible to readers of committed messages. */
  readonly firstSeconds: number
  readonly changesSeconds: number
  readonly cpuSeconds: number
  readonly peakBytes: number
}

const keys: { readonly [table in keyof Shop]: number } = { accounts: 1, skus: 1, invoices: 1, lines: 2 }
const stillMs = 2_000
const mostMs = 120_000

export async function besideFlink(data: ShopData, say: (text: string) => void): Promise<readonly ShopLane[]> {
  const broker = await startKafka()
  const topics = await openTopics(broker.brokers)
  const pid = Number(readFileSync(join(broker.directory, 'pid'), 'utf8'))
  const dir = mkdtempSync(join(workDir, 'flink-'))
  try {
    const done: ShopLane[] = []
    for (const [name, lane] of [
      ['Tidemark', tidemarkLane],
      ['Flink SQL', (name: string) => flinkLane(name, 0)],
      ['Flink SQL, mini-batches of 1 s', (name: string) => flinkLane(name, 1_000)],
    ] as const)
      try {
        const one = await lane(name)
        done.push(one)
        say(`${name}: ${one.firstSeconds.toFixed(1)} s, ${one.changesSeconds.toFixed(1)} s`)
      } catch (error) {
        say(`${name} FAILED: ${(error as Error).message}`)
        process.exitCode = 1
      }
    return done
  } finally {
    await topics.close()
    await broker.stop()
    rmSync(dir, { recursive: true, force: true })
  }

  async function tidemarkLane(name: string): Promise<ShopLane> {
    const configFile = join(dir, 'tidemark.json')
    const log = { kind: 'kafka', brokers: broker.brokers, topicPrefix: 't.' }
    writeFileSync(configFile, JSON.stringify({ dataDir: join(dir, 'tidemark'), features: shopDefinitions, sources: data.sources, log }))
    const command = (words: string) => [...words.split(' '), '--config', configFile, '--yes']
    await run('tidemark.js', command('apply account_totals@0'))
    const out = 't.outflow.sale_line'
    const consumer = watch({ file: process.execPath, args: ['tidemark.js', ...command('consume')] }, { name, partners: [pid] })
    try {
      const startedMs = performance.now()
      const first = await run('tidemark.js', command('load --at 2024-06-30'))
      const firstSeconds = await until(async () => (await countOf(out)) >= data.facts, out, startedMs, consumer)
      const changedMs = performance.now()
      const changes = await run('tidemark.js', command(`load skus --file ${data.otherPrices} --at 2024-07-01`))
      const changesSeconds = await until(async () => (await countOf(out)) >= data.facts + data.repriced, out, changedMs, consumer)
      const { cpuSeconds, peakBytes } = await consumer.stop()
      await run('tidemark.js', command('sink --until-caught-up'))
      checkTotals(join(dir, 'tidemark', 'warehouse.db'), data, true)
      const peak = Math.max(peakBytes, first.peakBytes, changes.peakBytes)
      return {
        name,
        firstSeconds,
        changesSeconds,
        cpuSeconds: cpuSeconds + first.cpuSeconds + changes.cpuSeconds,
        peakBytes: peak,
      }
    } finally {
      await consumer.stop().catch(() => undefined)
    }
  }

  async function flinkLane(name: string, miniBatchMs: number): Promise<ShopLane> {
    const command = await flinkShop()
    const id = `flink-${miniBatchMs}`
    const producer = new Kafka({ brokers: [...broker.brokers], logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
    const tables = ['accounts', 'skus', 'invoices', 'lines'] as const
    for (const table of tables) {
      await topics.create(`${id}.${table}`)
      await produce(producer, `${id}.${table}`, table, false)
    }
    const out = `${id}.totals`
    await topics.create(out)
    const job = { brokers: broker.brokers.join(), in: `${id}.`, out, id, stateDir: join(dir, id), miniBatchMs }
    const lane = watch(command(job), { name, partners: [pid] })
    try {
      const firstSeconds = await until(() => isRight(out, false), out, lane.startedMs, lane)
      const changedMs = performance.now()
      await produce(producer, `${id}.skus`, 'skus', true)
      const changesSeconds = await until(() => isRight(out, true), out, changedMs, lane)
      const { cpuSeconds, peakBytes } = await lane.stop()
      return { name, firstSeconds, changesSeconds, cpuSeconds, peakBytes }
    } finally {
      await lane.stop().catch(() => undefined)
      await producer.disconnect()
    }
  }

  async function isRight(topic: string, isDearer: boolean): Promise<boolean> {
    return differingTotals(await totalsIn(topic), totalsOf(data, isDearer)).length === 0
  }

  async function countOf(topic: string): Promise<number> {
    let count = 0
    for await (const { ends } of topics.read(topic)) count += ends.length
    return count
  }

  /** Seconds until it moved for the last time before all was there; it is looked at when it has stood still for a while. */
  async function until(isAll: () => Promise<boolean>, topic: string, sinceMs: number, lane: Watched): Promise<number> {
    let [last, looked] = [{ atMs: performance.now(), end: await topics.end(topic) }, -1]
    for (;;) {
      const [end, nowMs] = [await topics.end(topic), performance.now()]
      if (end !== last.end) last = { atMs: nowMs, end }
      else if (nowMs - last.atMs > mostMs) throw new Error(`${topic} has not moved for ${mostMs / 1000} s, and not all is there`)
      else if (end !== looked && nowMs - last.atMs > stillMs) {
        looked = end
        if (await isAll()) return (last.atMs - sinceMs) / 1000
      }
      if (lane.ended()) await lane.done
      await sleep(50)
    }
  }

  async function produce(producer: Producer, topic: string, table: keyof Shop, isDearer: boolean): Promise<void> {
    const columns = tablesColumns[table]
    const named = (cells: readonly unknown[]) => JSON.stringify(Object.fromEntries(cells.map((cell, i) => [columns[i], cell])))
    let messages: { key: string; value: string }[] = []
    const send = () => producer.send({ topic, messages })
    for (const row of data.rowsOf(table, isDearer)) {
      messages.push({ key: named(row.slice(0, keys[table])), value: named(row) })
      if (messages.length < 5_000) continue
      await send()
      messages = []
    }
    if (messages.length > 0) await send()
  }

  async function totalsIn(topic: string): Promise<ReadonlyMap<string, string>> {
    const totals = new Map<string, string>()
    for await (const { bytes, ends } of topics.read(topic)) {
      let at = 0
      for (const end of ends) {
        const text = Buffer.from(bytes.subarray(at, end)).toString()
        at = end
        if (text === '') continue
        const { account_id, owing, late_share, invoices, items, largest } = JSON.parse(text) as Record<string, number | null>
        totals.set(
          String(account_id),
          totalsText({ owing: owing!, lateShare: late_share!, invoices: invoices!, items: items!, largest: largest! }),
        )
      }
    }
    return totals
  }
}

const tablesColumns: { readonly [table in keyof Shop]: readonly string[] } = {
  accounts: ['account_id', 'company_name', 'contact_name', 'email'],
  skus: ['item_id', 'item_name', 'item_retail_price'],
  invoices: ['invoice_id', 'account_id', 'period', 'date_issued', 'date_paid'],
  lines: ['invoice_id', 'item_id', 'quantity'],
}
