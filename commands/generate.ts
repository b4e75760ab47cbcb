/** `generate`: a look-alike of the loan file. */
import { generateFile } from '../use-cases/generate.ts'
import { count } from '../utilities/values/digits.ts'
import type { Run } from './command.ts'
import { usage, wholeNumber, years } from './words.ts'

export const run: Run = async ({ options, console, signal }) => {
  const [fromYear, toYear] = years(options, '2007-2012')
  const rows = wholeNumber(options, 'rows', { least: 1 })
  const seed = wholeNumber(options, 'seed') ?? 1
  const out = options['out']
  if (typeof out !== 'string') throw usage('--out is missing', 'Say where to write, e.g. --out data/rejected.csv.gz.')
  const progress = console.progress('generate')
  const wanted = { fromYear, toYear, ...(rows === undefined ? {} : { rows }), seed }
  const made = await generateFile(out, wanted, { signal, report: (news) => progress(news.rows) })
  console.result(`wrote ${count(made.rows)} rows to ${out}`, made)
}
