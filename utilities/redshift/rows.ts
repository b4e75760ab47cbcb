/** Rows read back from Redshift, in statements that grow: the first answer is there soon, and long ranges take few. */
import type { Columns } from '../values/columns.ts'
import { columnFrom, type Cell } from '../sql/cells.ts'
import { identifier } from '../sql/names.ts'
import { columnOfStored, type StoredColumn } from '../sql/declared.ts'
import type { NewestOptions } from '../warehouse.ts'
import { textLiteral } from './literals.ts'
import type { Transactions } from './transactions.ts'

/**
 * Rows of one statement, whose result is then fetched in pages of about a megabyte: a million rows take about 30 statements and some
 * hundred pages.
 */
const [leastChunk, mostChunk] = [10_000, 40_000]

// As text a long number is exact, whoever reads the answer. `_seq` is never so long, and as text it would be sorted as one.
const isLong = ({ name, type }: StoredColumn) => (type === 'BIGINT' && name !== '_seq') || type.startsWith('NUMERIC')
const listOf = (columns: readonly StoredColumn[]) =>
  columns.map((column) => (isLong(column) ? `${identifier(column.name)}::varchar` : identifier(column.name)))

/** The rows of a page, which has some. */
const columnsOf = (columns: readonly StoredColumn[], cells: readonly (readonly Cell[])[]): Columns => ({
  count: cells.length,
  byName: new Map(columns.map((column, i) => [column.name, columnFrom(columnOfStored(column), cells, i)])),
})

/** All rows of a `_seq` come in one part: those of the last of a page wait for the next one. */
export async function* rowChunks(
  { pages }: Transactions,
  table: string,
  stored: readonly StoredColumn[],
  wanted: readonly StoredColumn[],
  version: number,
  { first, last }: { readonly first: number; readonly last: number },
): AsyncGenerator<Columns> {
  const byKey = stored.some(({ name }) => name === '_key')
  const list = [...new Set([...listOf(wanted), '"_seq"'])].join(', ')
  const seq = wanted.findIndex(({ name }) => name === '_seq')
  const seqOf = (row: readonly Cell[]) => Number(row[seq < 0 ? wanted.length : seq])
  const order = byKey ? '"_seq", "_key"' : '"_seq"'
  let waiting: (readonly Cell[])[] = []
  for (let [from, limit] = [first, leastChunk]; ; limit = Math.min(mostChunk, limit * 2)) {
    let count = 0
    // Ties stay together: the statement has the rows of whole numbers, about as many as are wanted.
    const ofVersion = `"_version" = ${version} AND "_seq" BETWEEN ${from}`
    const firsts = `SELECT "_seq" FROM ${table} WHERE ${ofVersion} AND ${last} ORDER BY "_seq" LIMIT ${limit}`
    const bound = byKey ? `(SELECT max("_seq") FROM (${firsts}) AS firsts)` : String(last)
    const where = `${ofVersion} AND ${bound}`
    const text = `SELECT ${list} FROM ${table} WHERE ${where} ORDER BY ${order}${byKey ? '' : ` LIMIT ${limit}`}`
    for await (const { rows } of pages([text], 1)) {
      if (rows.length === 0) continue
      count += rows.length
      const all = [...waiting, ...rows]
      const final = seqOf(all.at(-1)!)
      from = final + 1
      const end = byKey ? all.findIndex((row) => seqOf(row) === final) : all.length
      waiting = all.slice(end)
      if (end > 0) yield columnsOf(wanted, all.slice(0, end))
    }
    if (waiting.length > 0) yield columnsOf(wanted, waiting)
    waiting = []
    if (count < limit) return
  }
}

export async function* factChunks({ pages }: Transactions, table: string, stored: readonly StoredColumn[]): AsyncGenerator<Columns> {
  const key = stored.findIndex(({ name }) => name === '_key')
  for (let [after, limit] = ['', leastChunk]; ; limit = Math.min(mostChunk, limit * 2)) {
    let count = 0
    const text = `SELECT ${listOf(stored).join(', ')} FROM ${table} WHERE "_key" > ${textLiteral(after)} ORDER BY "_key" LIMIT ${limit}`
    for await (const { rows } of pages([text], 1)) {
      if (rows.length === 0) continue
      count += rows.length
      after = String(rows.at(-1)![key])
      yield columnsOf(stored, rows)
    }
    if (count < limit) return
  }
}

/** The newest row of each key, in order of `_seq`: what lies before the last one that came is not looked at again. */
export async function* newestChunks(
  { pages }: Transactions,
  table: string,
  stored: readonly StoredColumn[],
  version: number,
  { per, after }: NewestOptions,
): AsyncGenerator<Columns> {
  const seq = stored.findIndex(({ name }) => name === '_seq')
  const byKey = stored.some(({ name }) => name === '_key')
  const isText = (name: string) => typeof columnOfStored(stored.find((one) => one.name === name)!).type === 'object'
  // A text that is null and one that is empty are one key, where nothing else is in it.
  const key = byKey
    ? ['"_key"']
    : per.map((name) => (per.length === 1 && isText(name) ? `COALESCE(${identifier(name)}, '')` : identifier(name)))
  const rank = `ROW_NUMBER() OVER (${key.length > 0 ? `PARTITION BY ${key.join(', ')} ` : ''}ORDER BY "_seq" DESC) AS "_place"`
  for (let [from, limit] = [after, leastChunk]; ; limit = Math.min(mostChunk, limit * 2)) {
    const ranked = `SELECT *, ${rank} FROM ${table} WHERE "_version" = ${version} AND "_seq" > ${from}`
    const list = listOf(stored).join(', ')
    // Ties of keys stay together: the statement has the rows of whole numbers.
    const firsts = `SELECT "_seq" FROM (${ranked}) AS ranked WHERE "_place" = 1 ORDER BY "_seq" LIMIT ${limit}`
    const bound = `(SELECT max("_seq") FROM (${firsts}) AS firsts)`
    const text = `SELECT ${list} FROM (${ranked}) AS newest WHERE "_place" = 1 AND "_seq" <= ${bound} ORDER BY "_seq"`
    let count = 0
    for await (const { rows } of pages([text], 1)) {
      if (rows.length === 0) continue
      count += rows.length
      from = Number(rows.at(-1)![seq])
      yield columnsOf(stored, rows)
    }
    if (count < limit) return
  }
}
