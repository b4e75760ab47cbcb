/** `generate`: a look-alike of the loan file, or the tables of a shop. */
import { generateFile, generateInvoices } from '../use-cases/generate.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { usage, wholeNumber, years } from './words.ts'

export const run: CommandBody = async (context) => {
  const { options } = context
  const { example = 'loans' } = options
  if (example !== 'loans' && example !== 'invoices')
    throw usage(`there is no example ${String(example)}`, 'The examples are: loans, invoices.')
  const others = example === 'loans' ? ['invoices', 'day'] : ['years', 'rows']
  const stranger = others.find((name) => options[name] !== undefined)
  if (stranger !== undefined)
    throw usage(`--${stranger} is not for the ${example}`, `Leave it out, or see what is for them: tidemark generate --help`)
  return example === 'loans' ? loans(context) : invoices(context)
}

const loans: CommandBody = async ({ options, console, signal }) => {
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

const invoices: CommandBody = async ({ options, console, signal }) => {
  const wanted = {
    invoices: wholeNumber(options, 'invoices', { least: 1 }) ?? 1_000,
    seed: wholeNumber(options, 'seed') ?? 1,
    day: wholeNumber(options, 'day', { least: 1 }) ?? 1,
  }
  const out = options['out']
  if (typeof out !== 'string') throw usage('--out is missing', 'Say in which folder to write, e.g. --out shop.')
  const progress = console.progress('generate')
  const made = await generateInvoices(out, wanted, { signal, report: (news) => progress(news.rows) })
  const { accounts, skus, invoices: many, lines } = made.rows
  const rows = `${count(accounts)} accounts, ${count(skus)} skus, ${count(many)} invoices and ${count(lines)} lines`
  console.result(`wrote ${rows} as of ${made.date} to ${out}`, made)
}
