/** `init`: a config, a definitions file with the record guessed from a file, and what an editor needs. */
import { sourceAt, standardInput } from '../config/files.ts'
import { beginWith, type Begun, type Example } from '../use-cases/init.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { table } from './console.ts'
import { usage } from './words.ts'

export const run: CommandBody = async ({ options, console, signal }) => {
  const { from: file, example } = options
  if (file !== undefined && example !== undefined) throw usage('--from and --example were both given', 'Give one of them.')
  const known: readonly unknown[] = ['loans', 'invoices']
  if (example !== undefined && !known.includes(example))
    throw usage(`there is no example ${String(example)}`, `The examples are: ${known.join(', ')}.`)
  if (file === standardInput)
    throw usage('a record cannot be guessed from standard input', 'Put it into a file first: it is read again by produce.')
  const progress = console.progress('init')
  const from = typeof file === 'string' ? { source: await sourceAt(file, {}), file, signal, report: progress } : undefined
  const begun = await beginWith('.', from ?? ((example ?? 'loans') as Example))
  console.result(begunText(begun, typeof file === 'string' ? file : undefined), begun)
}

function begunText({ files, record, guessed, next }: Begun, file: string | undefined): string {
  const typed = ['Next, when the definitions are as they should be:', ...next.map((words) => `  tidemark ${words}`)]
  const wrote = `wrote ${files.join(', ')}`
  if (!guessed) return [wrote, '', ...typed].join('\n')
  const rows = guessed.fields.map(({ name, guess: { kind, digits, scale, bytes, values, nulls, doubts } }) => [
    name,
    digits !== undefined ? `decimal(${digits}, ${scale})` : bytes !== undefined ? `text of ${bytes} bytes` : kind,
    values,
    nulls,
    doubts.length > 0 ? doubts.join('; ') : 'every value is one',
  ])
  return [
    wrote,
    '',
    `${record}, guessed from ${count(guessed.rows)} rows of ${file}; ${guessed.at} says when it happened.`,
    '',
    table(['field', 'kind', 'values', 'empty', 'how sure'], rows, { widest: 100 }),
    ...(guessed.left.length > 0 ? ['', `Left out, without a name of their own: ${guessed.left.length} columns.`] : []),
    '',
    ...typed,
  ].join('\n')
}
