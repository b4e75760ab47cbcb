/** The shop's tables in a real PostgreSQL, and its own answers to what the example's feature sets compute. */
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Session, TestPostgres } from './aws/postgres.ts'

const tables = `
  create table accounts (account_id text primary key, company_name text, contact_name text, email text);
  create table skus (item_id text primary key, item_name text, item_retail_price numeric(12, 2));
  create table invoices (invoice_id bigint primary key, account_id text, period text, date_issued date, date_paid date);
  create table lines (invoice_id bigint, item_id text, quantity bigint, primary key (invoice_id, item_id))`

/** What the fact says, as a join. */
const saleLine = `
  create view sale_line as
  select l.invoice_id, l.item_id, l.quantity, i.account_id, a.company_name, a.contact_name, a.email, i.period, i.date_issued, s.item_name,
    l.quantity * s.item_retail_price as amount,
    i.date_paid is null as unpaid,
    i.date_paid - i.date_issued > 30 as paid_late,
    i.date_paid - i.date_issued <= 30 as paid_in_time,
    l.invoice_id || ',' || l.item_id as fact
  from lines l join invoices i using (invoice_id) join accounts a using (account_id) join skus s using (item_id)`

const ofAccounts = (date: string) => `
  with placed as (
    select *, row_number() over (partition by account_id order by date_issued desc, fact desc) as back,
      date_issued <= ${date} as come, ${date} - date_issued as age
    from sale_line
  ), names as (
    select account_id, item_name, sum(octet_length(item_name) + 2) over (partition by account_id order by item_name) - 2 as until
    from (select distinct account_id, item_name from sale_line where item_name is not null) as each
  ), products as (
    select account_id, case when max(until) <= 400 then string_agg(item_name, ', ' order by item_name)
      else concat_ws(', ', string_agg(item_name, ', ' order by item_name) filter (where until + 5 <= 400), '…') end as products
    from names group by account_id
  )
  select account_id,
    (array_agg(company_name order by date_issued desc, fact desc) filter (where company_name is not null))[1] as business,
    sum(amount) filter (where unpaid) as owing,
    sum(amount) filter (where unpaid and come and age >= 30) as overdue,
    count(distinct invoice_id) filter (where paid_late) as late,
    count(distinct invoice_id) filter (where paid_in_time) as in_time,
    round(avg(paid_late::int), 4) as late_share,
    count(distinct invoice_id) as invoices,
    count(distinct invoice_id) filter (where come and age < 30) as invoices_30d,
    count(distinct invoice_id) filter (where come and age < 90) as invoices_90d,
    round(avg(amount) filter (where back <= 10), 2) as last_ten,
    max(amount) as largest,
    percentile_disc(0.5) within group (order by amount) filter (where come and age < 365) as middle,
    percentile_disc(0.9) within group (order by amount) as high,
    count(distinct item_id) as items,
    max(products.products) as products
  from placed left join products using (account_id) group by account_id`

const ofItems = (date: string) => `
  select item_id, (array_agg(item_name order by date_issued desc, fact desc) filter (where item_name is not null))[1] as item,
    sum(quantity) as sold,
    sum(quantity) filter (where date_issued <= ${date} and ${date} - date_issued < 90) as sold_90d,
    sum(amount) as revenue, count(distinct account_id) as buyers
  from sale_line group by item_id`

const ofMonths = () => `
  select account_id, period, sum(amount) as revenue, count(distinct invoice_id) as invoices from sale_line group by account_id, period`

const ofAll = (date: string) => `
  select sum(amount) filter (where this_month) as revenue_this_month,
    count(distinct invoice_id) filter (where this_month) as invoices_this_month,
    sum(amount) filter (where unpaid) as owing,
    sum(amount) filter (where unpaid and ${date} - date_issued >= 30) as overdue
  from (
    select *, date_issued <= ${date} and date_trunc('month', date_issued) = date_trunc('month', ${date}) as this_month from sale_line
  ) as each`

/** The key of each set, and what PostgreSQL says of it as of a date. */
export const sets: { readonly [set: string]: { readonly per: readonly string[]; readonly asOf: (date: string) => string } } = {
  account_invoices: { per: ['account_id'], asOf: ofAccounts },
  item_sales: { per: ['item_id'], asOf: ofItems },
  account_months: { per: ['account_id', 'period'], asOf: ofMonths },
  shop_totals: { per: [], asOf: ofAll },
}

export type Cell = string | number | null
export type Found = { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }

export type ShopThere = {
  /** The tables become what the files say; the facts of before are kept, to be compared with. */
  put(folder: string): Promise<void>
  ask(sql: string): Promise<Found>
  /** The keys of the facts of before and now, and whether all else of them is equal. */
  differences(): Promise<{ readonly added: number; readonly changed: number; readonly removed: number }>
}

export async function shopIn(postgres: TestPostgres): Promise<ShopThere> {
  const session = await postgres.session()
  for (const one of [...tables.split(';'), saleLine, 'create table before as table sale_line']) await session.run(one)
  return {
    async put(folder) {
      await session.run('begin')
      await session.run('truncate before')
      await session.run('insert into before table sale_line')
      for (const table of ['accounts', 'skus', 'invoices', 'lines'])
        await copy(session, table, join(folder, `${table}.csv`), postgres.directory)
      await session.run('commit')
      await session.run('analyze')
    },
    async ask(sql) {
      const { fields, rows } = await session.run(sql)
      const numeric = fields.map(({ dataTypeID }) => numbers.has(dataTypeID))
      const cell = (text: string | null, i: number): Cell => (text !== null && numeric[i] ? Number(text) : text)
      return { columns: fields.map(({ name }) => name), rows: (rows as (string | null)[][]).map((row) => row.map(cell)) }
    },
    async differences() {
      const { rows } = await session.run(`
        select count(*) filter (where b.fact is null), count(*) filter (where b.fact is not null and n.fact is not null),
          count(*) filter (where n.fact is null)
        from before b full join sale_line n using (fact) where b is distinct from n`)
      const [added, changed, removed] = (rows as string[][])[0]!.map(Number)
      return { added: added!, changed: changed!, removed: removed! }
    },
  }
}

/** Of bigint, integer, numeric. */
const numbers = new Set([20, 23, 1700])

/** The server reads only what lies where it may read. */
async function copy(session: Session, table: string, file: string, directory: string): Promise<void> {
  const there = join(directory, `${table}.csv`)
  copyFileSync(file, there)
  chmodSync(there, 0o644)
  await session.run(`truncate ${table}`)
  await session.run(`copy ${table} from '${there}' with (format csv, header)`)
}
