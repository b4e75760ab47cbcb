/** The example's shop in Tidemark and in PostgreSQL: every fact and every answer about every account, item and month, beside each other. */
import { expect } from 'vitest'
import { warehouseOf } from './cli-run.ts'
import { readRows } from './oracle/compare.ts'
import { sets, type Cell, type Found, type ShopThere } from './shop-in-postgres.ts'

const inOrder = ({ rows }: Found, keys: number) =>
  new Map(rows.map((row) => [JSON.stringify(row.slice(0, keys)), row] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** Every row of both, found by the first columns; whoever has no facts any more is as if it had never been. How many facts there are. */
export async function expectEqualShops(folder: string, there: ShopThere, date: string): Promise<number> {
  for (const [set, { per, asOf }] of Object.entries(sets)) {
    const theirs = await there.ask(asOf(`date '${date}'`))
    const ours = read(folder, `${set}_latest`, theirs.columns)
    const [expected, found] = [inOrder(theirs, per.length), inOrder(ours, per.length)]
    for (const [key, row] of found)
      if (!expected.has(key)) {
        found.delete(key)
        expect([set, ...row.slice(per.length).filter((cell) => cell !== null && cell !== 0)]).toEqual([set])
      }
    expect([set, [...found.values()]]).toEqual([set, [...expected.values()]])
  }
  const theirs = await there.ask(`select ${factColumns.join(', ')} from sale_line order by invoice_id, item_id`)
  const facts = readRows(warehouseOf(folder), `select ${factColumns.join(', ')} from sale_line order by invoice_id, item_id`) as Cell[][]
  expect(facts).toEqual(theirs.rows.map((row) => row.map((cell) => (cell === 't' ? 1 : cell === 'f' ? 0 : cell))))
  return facts.length
}

const read = (folder: string, view: string, columns: readonly string[]): Found => ({
  columns,
  rows: readRows(warehouseOf(folder), `select ${columns.join(', ')} from ${view}`) as Cell[][],
})

const factColumns = (
  'invoice_id item_id quantity account_id company_name contact_name email period date_issued item_name amount unpaid paid_late ' +
  'paid_in_time'
).split(' ')
