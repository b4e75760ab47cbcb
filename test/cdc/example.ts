/**
 * The shop's answers kept fresh while its database changes: a real PostgreSQL, Debezium and Kafka, and each question asked of PostgreSQL
 * itself too. npm run example:cdc.
 */
import { execFile, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual, promisify } from 'node:util'
import { makeAfresh } from '../../commands/tell.ts'
import { questionsAt } from '../../examples/invoices/story.ts'
import { table } from '../../commands/console.ts'
import { sets, type Found, type ShopThere } from '../shop-in-postgres.ts'
import { captureShop, today, untilToday } from './shop.ts'
import { missingForStack, startStack } from './stack.ts'

const missing = missingForStack()
if (missing !== undefined) {
  console.error(`The example cannot be run: ${missing}. Install it and run this again.`)
  process.exit(1)
}

const folder = '.tidemark-cdc'
const invoices = 400
/** So long an answer may be behind. */
const mostWaitMs = 60_000

type Change = { readonly says: string; readonly statements: readonly string[] }

const largest = `(
  select account_id from sale_line where unpaid group by account_id order by sum(amount) desc nulls last, account_id limit 1)`
const latest = '(select max(invoice_id) from invoices)'

/** What happens in the shop; each is one transaction. */
const changes: readonly Change[] = [
  {
    says: 'Who owes the most pays all of it',
    statements: [`update invoices set date_paid = ${today} where date_paid is null and account_id = ${largest}`],
  },
  {
    says: 'An invoice of two lines is made out',
    statements: [
      `insert into invoices select ${latest} + 1, 'A-0002', to_char(${today}, 'YYYY-MM'), ${today}`,
      `insert into lines select ${latest}, item_id, 3 from (select item_id from skus order by item_id limit 2) as items`,
    ],
  },
  {
    says: 'Prices rise, and a company gets another number and another name',
    statements: [
      'update skus set item_retail_price = round(item_retail_price * 1.05, 2)',
      `update accounts set account_id = 'A-0003-new', company_name = 'Renamed & Sons' where account_id = 'A-0003'`,
      `update invoices set account_id = 'A-0003-new' where account_id = 'A-0003'`,
    ],
  },
  {
    says: 'Every twentieth invoice is cancelled',
    statements: ['delete from lines where invoice_id % 20 = 0', 'delete from invoices where invoice_id % 20 = 0'],
  },
  { says: 'All lines are deleted, and that is rolled back', statements: ['delete from lines', 'rollback'] },
  {
    says: 'The list of items is emptied, and filled again without its first one',
    statements: [
      'create temp table kept on commit drop as table skus',
      'truncate skus',
      'insert into skus select * from kept where item_id <> (select min(item_id) from kept)',
    ],
  },
]

const node = resolve('node_modules/.bin/node')
const program = resolve('tidemark.js')
const tidemark = async (...words: readonly string[]) => {
  console.log(`$ tidemark ${words.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' ')}`)
  return asked(...words)
}
const asked = async (...words: readonly string[]) =>
  (await promisify(execFile)(node, [program, ...words], { cwd: folder, maxBuffer: 1e9 })).stdout

/** The same question for a database that has the tables alone: what the set's view holds is worked out anew. */
const ofTables = (sql: string): string => {
  const needed = Object.entries(sets).filter(([set]) => sql.includes(`${set}_latest`))
  return needed.length === 0 ? sql : `with ${needed.map(([set, { asOf }]) => `${set}_latest as (${asOf(today)})`).join(', ')} ${sql}`
}

async function ours(sql: string): Promise<Found> {
  const rows = JSON.parse(await asked('query', sql, '--json')) as Readonly<Record<string, string | number | null>>[]
  return { columns: Object.keys(rows[0] ?? {}), rows: rows.map((row) => Object.values(row)) }
}

/** Both answers, the first that is equal, or the last when time is up. */
async function compare(there: ShopThere, sql: string) {
  const theirs = await there.ask(ofTables(sql))
  for (const startedMs = performance.now(); ; await sleep(200)) {
    const found = await ours(sql)
    const equal = isDeepStrictEqual(found.rows, theirs.rows)
    if (equal || stopped.signal.aborted || performance.now() - startedMs > mostWaitMs) return { theirs, found, equal }
  }
}

const indented = (text: string) => text.trim().replace(/^/gm, '    ')

async function askAll(there: ShopThere, isFirst: boolean): Promise<number> {
  const startedMs = performance.now()
  let unequal = 0
  const [[date]] = (await there.ask(`select ${today}`)).rows as [[string]]
  for (const { asks, sql } of questionsAt(date)) {
    if (stopped.signal.aborted) break
    const { theirs, found, equal } = await compare(there, sql)
    console.log(`\n  ${asks}`)
    if (isFirst) console.log(`  Tidemark is asked:\n${indented(sql)}\n  PostgreSQL is asked:\n${indented(ofTables(sql))}`)
    console.log(indented(table(found.columns, found.rows, { widest: 72 })))
    console.log(
      equal ? '  equal: PostgreSQL answers the same' : `  NOT EQUAL: PostgreSQL answers\n${indented(table(theirs.columns, theirs.rows))}`,
    )
    if (!equal) unequal++
  }
  if (unequal === 0) console.log(`\n  All are equal, ${((performance.now() - startedMs) / 1000).toFixed(1)} s after the first was asked.`)
  return unequal
}

makeAfresh(folder)
console.log('Starting PostgreSQL, Kafka, and Kafka Connect with Debezium; the first time takes a minute.')
const stack = await startStack()
let unequal = 0
const stopped = new AbortController()
process.once('SIGINT', () => stopped.abort())
process.once('SIGTERM', () => stopped.abort())
try {
  const { brokers } = stack.kafka
  const config = { ingest: { kafka: { brokers } } }
  const { there } = await captureShop(stack, folder, { invoices, seed: 1, first: [untilToday], config })
  console.log(`A shop of ${invoices} invoices lies in PostgreSQL; Debezium sends what changes there. Tidemark's folder is ${folder}.`)
  for (const set of Object.keys(sets)) await tidemark('apply', `${set}@0`, '--yes')
  console.log('$ tidemark up    (until the end)')
  const up = spawn(node, [program, 'up'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  const ended = new Promise<number | null>((done) => up.once('close', done))
  try {
    console.log('\nThe database as it is')
    unequal += await askAll(there, true)
    for (const { says, statements } of changes) {
      const transaction = ['begin', ...statements, ...(statements.includes('rollback') ? [] : ['commit'])]
      console.log(`\n${says}\n${indented(transaction.join(';\n'))}`)
      for (const one of transaction) await there.ask(one)
      unequal += await askAll(there, false)
      if (stopped.signal.aborted) break
    }
  } finally {
    up.kill('SIGINT')
    await ended
  }
} finally {
  await stack.stop()
}
if (stopped.signal.aborted) console.log('\nstopped')
else console.log(unequal === 0 ? '\nEvery answer was the one that PostgreSQL gives.' : `\n${unequal} answers were not those of PostgreSQL.`)
process.exitCode = unequal === 0 && !stopped.signal.aborted ? 0 : 1
