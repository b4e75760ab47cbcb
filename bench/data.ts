/** The files that are measured with: made once by the product's own `generate`, the same for everybody. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run, workDir } from './child.ts'

export type Data = { readonly file: string; readonly rows: number; readonly years: string }

/** More rows than some years could have are spread over all of them. */
const yearsFor = (rows: number): string => (rows <= 5_000_000 ? '2007-2012' : '2007-2018')

export async function dataOf(rows: number): Promise<Data> {
  const years = yearsFor(rows)
  const file = join(workDir, `loans-${rows}.csv.gz`)
  if (!existsSync(file)) {
    process.stderr.write(`making ${file}\n`)
    await run('tidemark.js', ['generate', '--years', years, '--rows', String(rows), '--out', file])
  }
  return { file, rows, years }
}
