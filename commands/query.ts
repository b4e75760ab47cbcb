/** `query`: one SELECT against the warehouse, its rows printed as they come. */
import { wireReader } from '../config/wire.ts'
import { count } from '../utilities/values/digits.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { QueryResult } from '../utilities/warehouse.ts'
import type { CommandBody } from './command.ts'
import type { Cell } from '../utilities/sql/cells.ts'
import { table, type Console } from './console.ts'
import { csvParts, jsonParts, nameTwice, type PartsText } from './query-text.ts'

/** A table is as wide as its widest cells, so all of it is kept until it is printed: so many rows, which are more than anybody reads. */
const rowsInTable = 1_000

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  const format = console.json ? 'json' : ((options['format'] as string | undefined) ?? 'table')
  if (!['table', 'json', 'csv'].includes(format))
    throw new Problem(`--format ${format} is not known`, 'Use table, json or csv.', { usage: true })
  const warehouse = await wireReader(config)
  try {
    const parts = warehouse.queryParts(args[0]!, signal)
    if (format === 'table') await printTable(parts, console)
    else await printAll(format === 'json' ? named(parts) : parts, format === 'json' ? jsonParts() : csvParts(), console)
  } catch (error) {
    if (!signal.aborted && (error as Error).name !== 'AbortError') throw error
    // Half of a result is none: a script must not take it for one.
    console.note('tidemark: interrupted: these are not all rows')
    return 1
  } finally {
    await warehouse.close()
  }
}

async function printAll(parts: AsyncIterable<QueryResult>, text: PartsText, { print }: Console): Promise<void> {
  for await (const part of parts) await print(text.part(part))
  await print(text.end())
}

async function* named(parts: AsyncIterable<QueryResult>): AsyncIterable<QueryResult> {
  for await (const part of parts) {
    const twice = nameTwice(part.columns)
    if (twice !== undefined)
      throw new Problem(
        `two columns of the result are called ${twice}, and JSON would keep one`,
        `Name one of them otherwise: ${twice} AS other_name.`,
      )
    yield part
  }
}

async function printTable(parts: AsyncIterable<QueryResult>, { print, note }: Console): Promise<void> {
  let columns: readonly string[] = []
  const rows: (readonly Cell[])[] = []
  for await (const part of parts) {
    columns = part.columns
    for (const row of part.rows) rows.push(row)
    if (rows.length > rowsInTable) break
  }
  await print(table(columns, rows.slice(0, rowsInTable)) + '\n')
  if (rows.length > rowsInTable)
    note(`(the first ${count(rowsInTable)} rows; there are more: all of them with --format csv or --format json)`)
  else if (process.stdout.isTTY) note(`(${count(rows.length)} ${rows.length === 1 ? 'row' : 'rows'})`)
}
