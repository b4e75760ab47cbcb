/** `query`: one SELECT against the warehouse. */
import { wireReader } from '../config/wire.ts'
import { Problem } from '../utilities/problem.ts'
import type { Run } from './command.ts'
import { count, table, toJson, type Cell } from './console.ts'

export const run: Run = async ({ args, options, config, console }) => {
  const format = console.json ? 'json' : ((options['format'] as string | undefined) ?? 'table')
  if (!['table', 'json', 'csv'].includes(format)) throw new Problem(`--format ${format} is not known`, 'Use table, json or csv.', { usage: true })
  const warehouse = await wireReader(config)
  try {
    const { columns, rows } = await warehouse.query(args[0]!)
    if (format === 'json') process.stdout.write(toJson(rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]!])))) + '\n')
    else if (format === 'csv') process.stdout.write([columns, ...rows].map((row) => row.map(csvCell).join(',')).join('\n') + '\n')
    else {
      process.stdout.write(table(columns, rows) + '\n')
      if (process.stdout.isTTY) console.note(`(${count(rows.length)} ${rows.length === 1 ? 'row' : 'rows'})`)
    }
  } finally {
    await warehouse.close()
  }
}

const csvCell = (cell: Cell): string => (cell === null ? '' : /[",\r\n]/.test(String(cell)) || cell === '' ? `"${String(cell).replaceAll('"', '""')}"` : String(cell))
