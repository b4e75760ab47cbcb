/**
 * The example's shop in MariaDB, which stands for Aurora MySQL: days of changes go through Debezium while it is killed, and then the facts
 * and what each account owes are what MariaDB says itself. Run by npm run test:long.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shop } from '../../examples/invoices/shop.ts'
import { beginWith } from '../../use-cases/init.ts'
import { done, freshFolder, warehouseOf } from '../cli-run.ts'
import { missingForKafka, startKafka, type TestKafka } from '../kafka/broker.ts'
import { readRows } from '../oracle/compare.ts'
import { chance, seed } from '../seeded.ts'
import { unlessMissing } from '../unless-missing.ts'
import { missingForConnect, startConnect, type TestConnect } from './connect.ts'
import { account, missingForMariadb, startMariadb, type TestMariadb } from './mariadb.ts'
import { sentUntil } from './messages.ts'
import { shownInGuide } from './stack.ts'
import { keepRunning } from './watched.ts'

const invoices = 300
const days = 8

const keys = { accounts: ['account_id'], skus: ['item_id'], invoices: ['invoice_id'], lines: ['invoice_id', 'item_id'] } as const
type TableName = keyof typeof keys
const tableNames = Object.keys(keys) as TableName[]

const schema = `
  create table heartbeat (id int primary key, at datetime(6));
  create table accounts (account_id varchar(40) primary key, company_name varchar(200) default 'nobody',
    contact_name varchar(200) default 'x', email varchar(200));
  create table skus (item_id varchar(40) primary key, item_name varchar(200), item_retail_price decimal(12, 2) default 1);
  create table invoices (invoice_id bigint unsigned primary key, account_id varchar(40), period varchar(7),
    date_issued date, date_paid date);
  create table \`lines\` (invoice_id bigint unsigned, item_id varchar(40), quantity int, primary key (invoice_id, item_id));`

const saleLine = `
  select l.invoice_id, l.item_id, l.quantity, i.account_id, a.company_name, a.contact_name, i.date_issued, s.item_name,
    l.quantity * s.item_retail_price as amount, i.date_paid is null as unpaid
  from \`lines\` l join invoices i using (invoice_id) join accounts a using (account_id) join skus s using (item_id)`

let kafka: TestKafka
let connect: TestConnect
let database: TestMariadb
const folder = freshFolder()
let markers = 0

const connectorConfig = () => {
  const shown = shownInGuide('MySqlConnector')
  const alone = Object.keys(shown).filter((name) => name.endsWith('.replication.factor'))
  return {
    ...shown,
    ...Object.fromEntries(alone.map((name) => [name, '1'])),
    'connector.class': 'io.debezium.connector.mariadb.MariaDbConnector',
    'database.hostname': '127.0.0.1',
    'database.port': String(database.port),
    'database.user': account.user,
    'database.password': account.password,
    'schema.history.internal.kafka.bootstrap.servers': kafka.brokers.join(),
    'heartbeat.interval.ms': '500',
  }
}

type Row = readonly (string | number | null)[]
const rowsOf = (day: number, table: TableName): ReadonlyMap<string, Row> => {
  const { columns, rows } = shop({ invoices, seed, day })[table]
  const places = keys[table].map((key) => columns.indexOf(key))
  return new Map([...rows()].map((row) => [JSON.stringify(places.map((place) => row[place])), row]))
}
const literal = (cell: string | number | null) =>
  cell === null ? 'null' : typeof cell === 'number' ? String(cell) : `'${cell.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** What makes the tables of one day those of the next, in pieces that are committed one by one. */
function changesOf(day: number): readonly string[] {
  return tableNames.flatMap((table) => {
    const [before, now] = [day === 1 ? new Map<string, Row>() : rowsOf(day - 1, table), rowsOf(day, table)]
    const gone = [...before.keys()].filter((key) => !now.has(key))
    const put = [...now].filter(([key, row]) => JSON.stringify(before.get(key)) !== JSON.stringify(row)).map(([, row]) => row)
    const name = `\`${table}\``
    const where = (key: string) => (JSON.parse(key) as Row).map((cell, i) => `${keys[table][i]} = ${literal(cell)}`).join(' and ')
    const { columns } = shop({ invoices, seed, day })[table]
    const updates = columns.map((column) => `${column} = values(${column})`).join()
    return [
      ...gone.map((key) => `delete from ${name} where ${where(key)}`),
      ...put.map((row) => `insert into ${name} values (${row.map(literal).join()}) on duplicate key update ${updates}`),
    ]
  })
}

/** What is written last is there, and so all that was written before. */
async function sentAll(): Promise<void> {
  await database.ask(`replace into heartbeat values (${++markers + 1}, now(6))`)
  const isLast = (one: { after?: { id: number } } | null) => one?.after?.id === markers + 1
  await sentUntil(kafka.brokers, 'shop.shop.heartbeat', (sent) => sent.some(isLast))
}

async function expectEqual(): Promise<void> {
  const told = (rows: readonly (readonly (string | number | null)[])[]) =>
    rows.map((row) => row.map((cell) => (cell !== null && Number.isFinite(Number(cell)) ? Number(cell) : cell)))
  const ours = (sql: string) => told(readRows(warehouseOf(folder), sql))
  const facts = 'select * from (%) as facts order by invoice_id, item_id'
  const columns = 'invoice_id, item_id, quantity, account_id, company_name, contact_name, date_issued, item_name, amount, unpaid'
  const theirs = told(await database.ask(facts.replace('%', saleLine)))
  expect(ours(facts.replace('%', `select ${columns} from sale_line`))).toEqual(theirs)
  expect(theirs.length).toBeGreaterThan(invoices)
  const owing = `select account_id, sum(if(unpaid, amount, null)), count(distinct invoice_id), max(amount) from (${saleLine}) as facts
    group by account_id order by account_id`
  const latest = 'select account_id, owing, invoices, largest from account_invoices_latest where invoices > 0 order by account_id'
  expect(ours(latest)).toEqual(told(await database.ask(owing)))
}

function mariadbTests() {
  beforeAll(async () => {
    database = await startMariadb()
    kafka = await startKafka()
    connect = await startConnect('mariadb', kafka.brokers)
    await database.ask([schema, 'begin', ...changesOf(1), 'commit'].join(';\n'))
    await connect.put('shop', connectorConfig())

    await beginWith(folder, 'invoices')
    const sourceOf = (table: string) => ({ topic: `shop.shop.${table}`, format: 'debezium', transactions: 'shop.transaction' })
    const sources = Object.fromEntries(tableNames.map((table) => [table, sourceOf(table)]))
    const config = { dataDir: '.tidemark', features: 'definitions.ts', sources, ingest: { kafka: { brokers: kafka.brokers } } }
    writeFileSync(join(folder, 'tidemark.json'), JSON.stringify(config))
    await done(folder, 'apply account_invoices@0 --yes')
  }, 600_000)
  afterAll(async () => {
    await connect?.stop()
    await kafka?.stop()
    await database?.stop()
  })

  describe(`a shop of ${invoices} invoices in MariaDB (seed ${seed})`, { timeout: 600_000 }, () => {
    it('has the facts and the sums that MariaDB has, after its first snapshot and days of changes, Debezium killed meanwhile', async () => {
      await sentAll()
      await done(folder, 'up --until-caught-up')
      await expectEqual()

      const up = keepRunning(folder, 'up')
      for (let day = 2; day <= days; day++) {
        const changes = changesOf(day)
        const half = Math.floor(changes.length / 2)
        await database.ask(['begin', ...changes.slice(0, half), 'commit'].join(';\n'))
        if (day % 2 === 0) {
          await sleep(chance() * 500)
          await connect.kill()
        }
        await database.ask(['begin', ...changes.slice(half), 'commit'].join(';\n'))
        await database.ask('begin; delete from `lines`; rollback')
        // Its invoices have no account for a moment: their facts leave and come again.
        const [[first]] = (await database.ask('select min(account_id) from accounts')) as [[string]]
        await database.ask(`update accounts set account_id = 'moved' where account_id = '${first}'`)
        await database.ask(`update accounts set account_id = '${first}' where account_id = 'moved'`)
        if (day % 2 === 0) await connect.restart()
        if (day === 5) await up.kill()
      }
      await sentAll()
      await up.stop()
      await done(folder, 'up --until-caught-up')
      await expectEqual()
    })

    it('has no fact when its lines were emptied', async () => {
      await database.ask('truncate table `lines`')
      await sentAll()
      await done(folder, 'up --until-caught-up')
      expect(readRows(warehouseOf(folder), 'select count(*) from sale_line')).toEqual([[0]])
    })
  })
}

unlessMissing(missingForKafka() ?? missingForConnect('mariadb') ?? missingForMariadb(), mariadbTests)
