/** Stores that read the benchmark's topics by `ingest`, each with a log of its own, embedded or in the Kafka that the topics are in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeWorkDir, run, workDir, type Finished } from './child.ts'
import { eventTopic } from './ingest-topics.ts'
import { shopTables, topicOf, transactionTopic } from './ingest-shop.ts'
import { checkTotals, shopDefinitions } from './shop-embedded.ts'
import type { ShopData } from './shop-data.ts'

export type LogKind = 'embedded' | 'kafka'

export type IngestStore = {
  readonly command: (words: string, nodeOptions?: readonly string[]) => Promise<Finished>
  /** Throws unless the warehouse has what the shop's rows come to. */
  readonly check: (data: ShopData) => void
  readonly drop: () => void
}

const fromTopics = {
  payment: { topic: eventTopic, format: 'json' },
  ...Object.fromEntries(
    shopTables.map((table) => [table, { topic: topicOf(table), format: 'debezium', transactions: transactionTopic, decimals: 'text' }]),
  ),
}

let stores = 0

/** With the set applied, and nothing read. */
export async function newStore(brokers: readonly string[], of: 'payments' | 'shop', log: LogKind): Promise<IngestStore> {
  makeWorkDir()
  const dir = mkdtempSync(join(workDir, 'ingest-'))
  const configFile = join(dir, 'config.json')
  const dataDir = join(dir, 'tidemark')
  const [features, set] = of === 'shop' ? [shopDefinitions, 'account_totals'] : [join(import.meta.dirname, 'ingest-definitions.ts'), 'paid']
  const config = {
    dataDir,
    features,
    sources: fromTopics,
    ingest: { kafka: { brokers } },
    ...(log === 'kafka' && { log: { kind: 'kafka', brokers, topicPrefix: `t${process.pid}-${++stores}.` } }),
  }
  writeFileSync(configFile, JSON.stringify(config))
  const command: IngestStore['command'] = (words, nodeOptions) =>
    run('tidemark.js', [...words.split(' '), '--config', configFile, '--yes', '--json'], nodeOptions)
  await command(`apply ${set}@0`)
  return {
    command,
    check: (data) => checkTotals(join(dataDir, 'warehouse.db'), data, false),
    drop: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** How many messages `ingest` says that it has read. */
export const messagesOf = ({ stdout }: Finished): number => {
  const done = JSON.parse(stdout) as readonly { readonly messages: number; readonly dead: number; readonly duplicates: number }[]
  if (done.some(({ dead, duplicates }) => dead + duplicates > 0)) throw new Error(`not all of it was read: ${stdout}`)
  return done.reduce((sum, { messages }) => sum + messages, 0)
}

/** What reading these topics to their ends takes, with nothing done with the messages, or decoded; the process's start included. */
export const readAlone = (brokers: readonly string[], what: 'read' | 'decode', topics: readonly string[]): Promise<Finished> =>
  run('bench/ingest-floor.ts', [brokers.join(), what, ...topics])
