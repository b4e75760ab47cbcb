/** The story of users' own invoices by the command line, on any parts: a file, a grown file, a kill, and each figure to the last digit. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { done, start, until } from './cli-run.ts'
import { expectedFeatures, madeInvoices, source } from './invoice-records.ts'
import { csvRows } from './oracle/loan-file.ts'

/** `config` is what the folder's config.json has beside the definitions and the file. */
export async function tellInvoices(folder: string, config: object, seed: number): Promise<void> {
  const own = '--config config.json'
  const { csv, invoices } = madeInvoices(400, seed)
  const lines = csv.trimEnd().split('\n')
  const put = (rows: number) => writeFileSync(join(folder, 'invoices.csv'), lines.slice(0, rows + 1).join('\n') + '\n')
  const sources = { invoice: { file: 'invoices.csv', ...source } }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, features: resolve('test/invoice-records.ts'), sources }))

  put(150)
  await done(folder, `apply invoice_items@0 --yes ${own}`)
  await done(folder, `backfill ${own}`)
  put(400)
  expect(await done(folder, `produce ${own}`)).toContain('produced 250 records into inflow.invoice; 150 ')
  const up = start(folder, `up ${own}`)
  await until(() => /consume: /.test(up.err()))
  up.signal('SIGKILL')
  await up.ended
  await done(folder, `up --until-caught-up ${own}`)
  expect(await done(folder, `verify invoice_items@0 ${own}`)).toContain('400 rows computed again and equal')

  await done(folder, `export invoice_items@0 --out rows --format csv ${own}`)
  const [header, ...rows] = readdirSync(join(folder, 'rows'))
    .filter((name) => name.endsWith('.csv'))
    .flatMap((name) => csvRows(readFileSync(join(folder, 'rows', name), 'latin1')))
  const text = (cell: string) => Buffer.from(cell, 'latin1').toString()
  const found = rows.map((row) => Object.fromEntries(row.map((cell, i) => [header![i], text(cell)])))
  const inOrder = found.toSorted((a, b) => Number(a['_seq']) - Number(b['_seq']))
  const names = Object.keys(expectedFeatures(invoices.slice(0, 1))[0]!)
  expect(inOrder.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])))).toEqual(expectedFeatures(invoices))
}
