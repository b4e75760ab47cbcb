/** Generates the shop's tables as files, as its database would export them on a day. */
import { join } from 'node:path'
import { makeDirectory } from '../../utilities/running/make-directory.ts'
import { csvCell } from '../../utilities/values/csv-cell.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { writeWhole } from '../whole-files.ts'
import { shop, type Shop, type ShopOptions, type ShopTable } from './shop.ts'

export type Written = { readonly [table in keyof Shop]: number }

type Watch = {
  /** How many rows have been generated so far. */
  readonly onProgress?: (rows: number) => void
  readonly signal?: AbortSignal
}

/** All of a day's files or none, in a folder that is made if need be: how many rows each has. */
export async function generateShop(folder: string, options: ShopOptions, { onProgress, signal }: Watch = {}): Promise<Written> {
  checkOptions(options)
  makeDirectory(folder)
  const written = { accounts: 0, skus: 0, invoices: 0, lines: 0 }
  const tables = Object.entries(shop(options)) as [keyof Shop, ShopTable][]
  const files = tables.map(([name, table]) => {
    const onRows = (rows: number) => {
      written[name] += rows
      onProgress?.(Object.values(written).reduce((sum, one) => sum + one))
    }
    return { path: fileOf(folder, name), texts: textsOf(table, onRows) }
  })
  await writeWhole(files, signal)
  return written
}

const fileOf = (folder: string, table: keyof Shop): string => join(folder, `${table}.csv`)

/** Where the tables are, as a config has it. */
export const shopSources = (folder: string): { readonly [table in keyof Shop]: { readonly file: string } } => ({
  accounts: { file: fileOf(folder, 'accounts') },
  skus: { file: fileOf(folder, 'skus') },
  invoices: { file: fileOf(folder, 'invoices') },
  lines: { file: fileOf(folder, 'lines') },
})

/** In pieces of some 5,000 rows. */
function* textsOf({ columns, rows }: ShopTable, onRows: (rows: number) => void): Iterable<string> {
  let text = `${columns.join()}\n`
  let inText = 0
  for (const row of rows()) {
    text += `${row.map((cell) => (cell === null ? '' : csvCell(String(cell)))).join()}\n`
    if (++inText < 5_000) continue
    yield text
    onRows(inText)
    text = ''
    inText = 0
  }
  yield text
  onRows(inText)
}

function checkOptions({ invoices, seed, day }: ShopOptions): void {
  const wrong = (what: string, todo: string) => new Problem(what, todo, { usage: true })
  if (!(Number.isSafeInteger(invoices) && invoices > 0 && invoices <= 100_000_000))
    throw wrong(`cannot generate ${invoices} invoices`, 'Ask for 1 to 100000000 of them.')
  if (!(Number.isSafeInteger(day) && day > 0 && day <= 1_000)) throw wrong(`there is no day ${day}`, 'Give a day from 1 to 1000.')
  if (!Number.isSafeInteger(seed)) throw wrong(`${seed} cannot be a seed`, 'Use a whole number.')
}
