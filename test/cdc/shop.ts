/** The example's shop in a database whose changes Debezium sends, and a folder in which Tidemark follows it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateShop } from '../../examples/invoices/generate.ts'
import { beginWith } from '../../use-cases/init.ts'
import { shopIn, type ShopThere } from '../shop-in-postgres.ts'
import type { Registered, Stack } from './stack.ts'

export type CapturedShop = {
  /** PostgreSQL's own answers. */
  readonly there: ShopThere
  readonly connector: Registered
}

type Options = {
  readonly invoices: number
  readonly seed: number
  /** What is done to the tables before Debezium looks at them. */
  readonly first: readonly string[]
  /** What the config file has beside the sources. */
  readonly config: object
}

const tables = ['accounts', 'skus', 'invoices', 'lines']

/** The tables are filled and captured; in the folder lie a config file that names their topics, and the example's definitions. */
export async function captureShop(stack: Stack, folder: string, { invoices, seed, first, config }: Options): Promise<CapturedShop> {
  const there = await shopIn(stack.postgres)
  await generateShop(join(folder, 'shop'), { invoices, seed, day: 1 })
  await there.put(join(folder, 'shop'))
  await there.ask('create table heartbeat (id int primary key, at timestamptz)')
  for (const one of first) await there.ask(one)
  const included = tables.map((table) => `public.${table}`)
  const connector = await stack.register({ prefix: 'shop', database: 'postgres', tables: included })

  await beginWith(folder, 'invoices')
  const sourceOf = (table: string) => ({
    topic: connector.topicOf(`public.${table}`),
    format: 'debezium',
    transactions: connector.transactions,
  })
  const sources = Object.fromEntries(tables.map((table) => [table, sourceOf(table)]))
  writeFileSync(
    join(folder, 'tidemark.json'),
    `${JSON.stringify({ dataDir: '.tidemark', features: 'definitions.ts', sources, ...config }, null, 2)}\n`,
  )
  return { there, connector }
}

/** The day in UTC, by PostgreSQL's clock. */
export const today = `(now() at time zone 'UTC')::date`

/** The generated shop ends on a day of its own: this makes it end today. */
export const untilToday = `
  update invoices set date_issued = date_issued + days, date_paid = date_paid + days, period = to_char(date_issued + days, 'YYYY-MM')
  from (select ${today} - date '2024-06-30' as days) as since`
