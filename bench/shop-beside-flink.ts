/**
 * The shop on Kafka, exactly once, by Tidemark and by Flink SQL: all rows, and then, while it runs, a price list of which every price is
 * another. Both read topics of changes by key (upsert-kafka, JSON) with the same messages.
 */
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import type { Shop } from '../examples/invoices/shop.ts'
import { startKafka } from '../test/kafka/broker.ts'
import { run, workDir } from './child.ts'
import { watch, type Command, type Watched } from './peers/process.ts'
import { flinkShop } from './peers/stream-lanes.ts'
import { openTopics } from './peers/topics.ts'
import { differingTotals, totalsOf, totalsText, type ShopData } from './shop-data.ts'
import { checkTotals, shopDefinitions } from './shop-embedded.ts'

/** Until the last total was visible to readers of committed messages. */
type Step = { readonly seconds: number; readonly cpuSeconds: number }

export type ShopLane = { readonly name: string; /** All rows. */ readonly first: Step; readonly changes: Step; readonly peakBytes: number }

const tables = ['accounts', 'skus', 'invoices', 'lines'] as const
const keys: { readonly [table in keyof Shop]: number } = { accounts: 1, skus: 1, invoices: 1, lines: 2 }
const stillMs = 2_000
const mostMs = 600_000

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
        const steps = [one.first, one.changes].map(({ seconds, cpuSeconds }) => `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)})`)
        say(`${name}: ${steps.join(', ')}`)
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

  /** `ingest` reads the topics and `consume` makes the features, side by side; a row of outflow tells of each fact. */
  async function tidemarkLane(name: string): Promise<ShopLane> {
    const id = 'tidemark'
    const configFile = join(dir, `${id}.json`)
    const log = { kind: 'kafka', brokers: broker.brokers, topicPrefix: 't.' }
    const sources = Object.fromEntries(tables.map((table) => [table, { topic: `${id}.${table}`, format: 'upsert-json' }]))
    writeFileSync(configFile, JSON.stringify({ dataDir: join(dir, id), features: shopDefinitions, sources, log }))
    const words = (command: string) => [...command.split(' '), '--config', configFile, '--yes']
    await run('tidemark.js', words('apply account_totals@0'))
    const both = ['ingest', 'consume'].map((stage) => `"$0" tidemark.js ${words(stage).join(' ')} &`).join(' ')
    const command = { file: 'sh', args: ['-c', `${both} wait`, process.execPath] }
    const out = 't.outflow.sale_line'
    const lane = await twoSteps(name, id, () => command, {
      out,
      isAll: async (isDearer) => (await countOf(out)) >= data.facts + (isDearer ? data.repriced : 0),
    })
    await run('tidemark.js', words('sink --until-caught-up'))
    checkTotals(join(dir, id, 'warehouse.db'), data, true)
    return lane
  }

  async function flinkLane(name: string, miniBatchMs: number): Promise<ShopLane> {
    const command = await flinkShop()
    const id = `flink-${miniBatchMs}`
    const out = `${id}.totals`
    await topics.create(out)
    const job = { brokers: broker.brokers.join(), in: `${id}.`, out, id, stateDir: join(dir, id), miniBatchMs }
    return twoSteps(name, id, () => command(job), { out, isAll: (isDearer) => isRight(out, isDearer) })
  }

  /** Topics of its own with the same messages: all rows before it begins, the other prices while it runs. */
  async function twoSteps(
    name: string,
    id: string,
    command: () => Command,
    { out, isAll }: { readonly out: string; readonly isAll: (isDearer: boolean) => Promise<boolean> },
  ): Promise<ShopLane> {
    const producer = new Kafka({ brokers: [...broker.brokers], logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
    for (const table of tables) {
      await topics.create(`${id}.${table}`)
      await produce(producer, `${id}.${table}`, table, false)
    }
    const lane = watch(command(), { name, partners: [pid] })
    try {
      const firstSeconds = await until(() => isAll(false), out, lane.startedMs, lane)
      const [changedMs, cpuBefore] = [performance.now(), lane.cpuSeconds()]
      await produce(producer, `${id}.skus`, 'skus', true)
      const changesSeconds = await until(() => isAll(true), out, changedMs, lane)
      const cpuAfter = lane.cpuSeconds()
      const { peakBytes } = await lane.stop()
      return {
        name,
        first: { seconds: firstSeconds, cpuSeconds: cpuBefore },
        changes: { seconds: changesSeconds, cpuSeconds: cpuAfter - cpuBefore },
        peakBytes,
      }
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
