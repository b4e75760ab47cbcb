/** The files that are measured with: made once by the product's own `generate`, the same for everybody. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
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

/** The end of a loan's line: what stands before its zip code, the zip code, and the three cells behind it. */
const zipPattern = /,([^,\n"]*),([A-Z]{2},[^,\n"]*,[^,\n"]*)$/gm

/** The same loans with so many zip codes, in no order. */
export async function keyedDataOf(rows: number, keys: number): Promise<Data> {
  const data = await dataOf(rows)
  const file = join(workDir, `loans-${rows}-of-${keys}.csv.gz`)
  if (!existsSync(file)) {
    process.stderr.write(`making ${file}\n`)
    let row = 0
    const zip = () => String(((++row * 2_654_435_761) % 2 ** 32) % keys).padStart(5, '0')
    const text = gunzipSync(readFileSync(data.file)).toString('latin1')
    writeFileSync(
      file,
      gzipSync(
        Buffer.from(
          text.replace(zipPattern, (_, __, rest: string) => `,${zip()},${rest}`),
          'latin1',
        ),
      ),
    )
  }
  return { ...data, file }
}
