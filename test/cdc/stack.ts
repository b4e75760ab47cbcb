/** Change data capture on one machine, for tests and for people: PostgreSQL, Kafka, and Kafka Connect with Debezium. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres, user, type TestPostgres } from '../aws/postgres.ts'
import { missingForKafka, startKafka, type TestKafka } from '../kafka/broker.ts'
import { freePort, missingForConnect, startConnect, type ConnectorConfig, type TestConnect } from './connect.ts'

export type Stack = {
  readonly kafka: TestKafka
  readonly connect: TestConnect
  readonly postgres: TestPostgres
  /** Where PostgreSQL listens on 127.0.0.1. */
  readonly port: number
  /** Registers a connector and waits until it streams: its snapshot is over then. */
  register(wanted: Wanted): Promise<Registered>
  stop(): Promise<void>
}

type Wanted = {
  /** What its topics begin with; its slot and its publication are called so, too. */
  readonly prefix: string
  readonly database: string
  /** Each as schema.table. */
  readonly tables: readonly string[]
  /** What differs from the configuration of docs/cdc.md. */
  readonly config?: ConnectorConfig
}

export type Registered = {
  readonly config: ConnectorConfig
  /** As Debezium calls it. */
  readonly topicOf: (table: string) => string
  readonly transactions: string
  /** Waits until the connector reads what PostgreSQL writes. */
  streams(): Promise<void>
  /** Waits until all that is committed by now is in Kafka. */
  sentAll(): Promise<void>
  /** Where it was is forgotten, the slot in PostgreSQL too, if so asked: it begins with a new snapshot, and `meanwhile` happens before. */
  beginAgain(options?: { readonly dropSlot?: boolean; readonly meanwhile?: () => Promise<void> }): Promise<void>
}

/** Why it cannot run on this machine; undefined when it can. */
export const missingForStack = () => missingForKafka() ?? missingForConnect('postgres')

const settings = [
  'listen_addresses=127.0.0.1',
  'wal_level=logical',
  'max_wal_senders=16',
  'max_replication_slots=16',
  'max_connections=100',
  // What a session was told is committed stays so when the server is killed.
  'synchronous_commit=on',
]

/** All of it at once; what was started stops when one part does not start. */
export async function startStack(): Promise<Stack> {
  const port = await freePort()
  const starting = [startPostgres({ port, settings }), startKafkaAndConnect()] as const
  const [database, streams] = await Promise.allSettled(starting)
  const stopAll = async () => {
    if (streams.status === 'fulfilled') await streams.value.stop()
    if (database.status === 'fulfilled') await database.value.stop()
  }
  if (database.status === 'rejected' || streams.status === 'rejected') {
    await stopAll()
    throw database.status === 'rejected' ? database.reason : (streams as PromiseRejectedResult).reason
  }
  const postgres = database.value
  const { kafka, connect } = streams.value
  return {
    kafka,
    connect,
    postgres,
    port,
    stop: stopAll,
    async register({ prefix, database: name, tables, config: more }) {
      const config = connectorFor({ prefix, port, database: name, tables, more })
      const slot = `from pg_replication_slots where slot_name = '${config['slot.name']}'`
      const finds = async (sql: string) => (await asking(postgres, name, sql)).rows.length > 0
      // It is active for a moment while it is made, too, before the snapshot.
      const isRead = () => finds(`select from pg_stat_replication where state <> 'startup' and pid = (select active_pid ${slot})`)
      const streaming = async () => {
        for (const deadline = Date.now() + 60_000; !(await isRead()); await sleep(50))
          if (Date.now() > deadline) throw new Error(`${prefix} does not stream`)
      }
      const dropSlot = async () => {
        while (await finds(`select ${slot} and active`)) await sleep(50)
        await asking(postgres, name, `select pg_drop_replication_slot(slot_name) ${slot}`)
      }
      await connect.put(prefix, config)
      await streaming()
      return {
        config,
        topicOf: (table) => `${prefix}.${table}`,
        transactions: `${prefix}.transaction`,
        streams: streaming,
        async sentAll() {
          const [[now]] = (await asking(postgres, name, 'select pg_current_wal_insert_lsn()')).rows as [[string]]
          const isSent = () => finds(`select ${slot} and confirmed_flush_lsn >= '${now}'`)
          for (const deadline = Date.now() + 60_000; !(await isSent()); await sleep(50))
            if (Date.now() > deadline) throw new Error(`${prefix} has not sent all by ${now}`)
        },
        async beginAgain({ dropSlot: drops = false, meanwhile } = {}) {
          await connect.deleteOffsets(prefix, async () => {
            if (drops) await dropSlot()
            await meanwhile?.()
          })
          await streaming()
        },
      }
    },
  }
}

/** In a session of its own: the server may have been started again since. */
async function asking(postgres: TestPostgres, database: string, sql: string) {
  const session = await postgres.session(database)
  try {
    return await session.run(sql)
  } finally {
    await session.end()
  }
}

async function startKafkaAndConnect() {
  const kafka = await startKafka()
  try {
    const connect = await startConnect('postgres', kafka.brokers)
    const stop = async () => {
      await connect.stop()
      await kafka.stop()
    }
    return { kafka, connect, stop }
  } catch (error) {
    await kafka.stop()
    throw error
  }
}

type Place = {
  readonly prefix: string
  readonly port: number
  readonly database: string
  readonly tables: readonly string[]
  readonly more: ConnectorConfig | undefined
}

/** The configuration that docs/cdc.md shows, for a database that is here and a broker that is alone. */
function connectorFor({ prefix, port, database, tables, more }: Place): ConnectorConfig {
  const shown = shownInGuide('PostgresConnector')
  const alone = Object.keys(shown).filter((name) => name.endsWith('.replication.factor'))
  return {
    ...shown,
    ...Object.fromEntries(alone.map((name) => [name, '1'])),
    'database.hostname': '127.0.0.1',
    'database.port': String(port),
    'database.user': user,
    'database.dbname': database,
    'topic.prefix': prefix,
    'slot.name': prefix,
    'publication.name': prefix,
    'table.include.list': [...tables, 'public.heartbeat'].join(),
    'topic.creation.transactions.include': `${prefix}\\.transaction`,
    'heartbeat.interval.ms': '500',
    'retriable.restart.connector.wait.ms': '500',
    ...more,
  }
}

/** What readers of docs/cdc.md copy is what runs here. */
export function shownInGuide(connector: string): ConnectorConfig {
  const guide = readFileSync(new URL('../../docs/cdc.md', import.meta.url), 'utf8')
  const shown = [...guide.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text]) => JSON.parse(text!) as ConnectorConfig)
  const found = shown.find((one) => one['connector.class']?.endsWith(connector))
  if (!found) throw new Error(`docs/cdc.md shows no ${connector}`)
  return found
}
