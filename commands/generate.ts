/** `generate`: a look-alike of the loan file. */
import { dirname } from 'node:path'
import { generateTo } from '../producer/generate.ts'
import { makeDirectory } from '../utilities/make-directory.ts'
import { Problem } from '../utilities/problem.ts'
import type { Run } from './command.ts'
import { count } from './console.ts'
import { wholeNumber, years } from './words.ts'

export const run: Run = async ({ options, console, signal }) => {
  const [fromYear, toYear] = years(options, '2007-2012')
  const rows = wholeNumber(options, 'rows', { least: 1 })
  const seed = wholeNumber(options, 'seed') ?? 1
  const out = options['out']
  if (typeof out !== 'string') throw new Problem('--out is missing', 'Say where to write, e.g. --out data/rejected.csv.gz.', { usage: true })
  const progress = console.progress('generate')
  let before = 0
  const onProgress = (written: number) => {
    progress(written - before)
    before = written
  }
  makeDirectory(dirname(out))
  const made = await generateTo(out, { fromYear, toYear, ...(rows === undefined ? {} : { rows }), seed }, { signal, onProgress })
  console.result(`wrote ${count(made.rows)} rows to ${out}`, { file: out, rows: made.rows, seed })
}
