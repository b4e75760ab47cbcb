/** What record a file most likely holds: its columns by name, each guessed from all of its cells, and how its cells are written. */
import { columnOf } from '../../utilities/values/columns.ts'
import { Problem } from '../../utilities/values/problem.ts'
import type { Source, TextForm } from '../../utilities/source.ts'
import { sqlWords } from '../sql-words.ts'
import type { RecordSchema } from '../record.ts'
import { readFiles } from './files.ts'
import { guesser, type Guess } from './guess.ts'
import { cellText, walk } from './walk.ts'

export type GuessedField = { readonly name: string; readonly column: string; readonly guess: Guess }
export type GuessedRecord = {
  /** How its cells are written, where not as by default. */
  readonly form: TextForm
  readonly fields: readonly GuessedField[]
  /** The field that says when it happened. */
  readonly at: string
  readonly rows: number
  /** Columns without a name, or with one that several have. */
  readonly left: readonly string[]
}

const mostRows = 1_000_000
const delimiters = [',', ';', '\t', '|'] as const

export async function guessRecord(
  source: Source,
  watch: { readonly signal: AbortSignal; readonly report: (rows: number) => void },
): Promise<GuessedRecord> {
  const { delimiter, names } = await headerOf(source)
  const once = names.filter((name) => name.trim() !== '' && names.indexOf(name) === names.lastIndexOf(name))
  const columns = once.map((column) => ({ column, guesser: guesser() }))
  const fields = Object.fromEntries(once.map((csv, i) => [`c${i}`, { kind: 'text', csv, nullable: true, bytes: 65_535 } as const]))
  const texts: RecordSchema = { name: 'row', at: 'c0', fields }
  let rows = 0
  const form = delimiter === ',' ? {} : { delimiter }
  for await (const batch of readFiles(texts, written(source, form), { signal: watch.signal })) {
    for (const [i, { guesser }] of columns.entries()) {
      const { bytes, starts, ends } = columnOf(batch.columns, `c${i}`, 'text')
      const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      for (let row = 0; row < batch.columns.count; row++) guesser.take(starts[row] === -1 ? null : all.utf8Slice(starts[row]!, ends[row]!))
    }
    rows += batch.columns.count
    watch.report(batch.columns.count)
    if (rows >= mostRows) break
  }
  if (rows === 0) throw new Problem(`${source.place} has a header and no row`, 'Give a file with some rows: kinds are guessed from cells.')

  const guessed = named(columns.map(({ column, guesser }) => ({ column, guess: guesser.guess() })))
  const whens = guessed.filter(({ guess }) => (guess.kind === 'date' || guess.kind === 'timestamp') && guess.nulls === 0)
  const when = whens.find(({ guess }) => guess.kind === 'timestamp') ?? whens[0]
  if (!when) {
    throw new Problem(
      `${source.place} has no column that is a date or a timestamp in every row`,
      'A record needs one that says when it happened. Dates are read in ISO 8601 and the forms of docs/configuration.md.',
    )
  }
  return {
    form: { ...form, ...formsOf(guessed) },
    fields: guessed,
    at: when.name,
    rows,
    left: names.filter((name) => !once.includes(name)),
  }
}

const written = (source: Source, form: TextForm): Source => ({
  ...source,
  files: async () => (await source.files()).map((file) => ({ ...file, form: { ...file.form, ...form } })),
})

/** The names in the first line, divided by what divides them into most. */
async function headerOf(source: Source): Promise<{ readonly delimiter: string; readonly names: readonly string[] }> {
  const [file] = await source.files()
  const chunks: Uint8Array[] = []
  for await (const chunk of file!.read()) {
    chunks.push(chunk.slice())
    if (chunk.includes(10) || chunks.length > 16) break
  }
  const text = Buffer.concat([...chunks, Buffer.from('\n')])
  const from = text.indexOf('\ufeff') === 0 ? 3 : 0
  const readings = delimiters.map((delimiter) => {
    const { cells } = walk(text, from, text.length, { limit: text.length, delimiter: delimiter.charCodeAt(0) })
    return { delimiter, names: cells.map((cell) => cellText(text, cell)) }
  })
  const best = readings.reduce((most, one) => (one.names.length > most.names.length ? one : most))
  if (best.names.join('') === '') throw new Problem(`${source.place} has no header`, 'Its first line must name the columns.')
  return best
}

/** Each column under a name that a field can have. */
function named(columns: readonly { readonly column: string; readonly guess: Guess }[]): readonly GuessedField[] {
  const taken = new Set(['seq'])
  return columns.map(({ column, guess }) => {
    const plain = column.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
    const words = plain
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .slice(0, 50)
    const begun = /^[a-z]/.test(words) ? words : `c${words === '' ? '' : `_${words}`}`
    let name = sqlWords.has(begun) || taken.has(begun) ? `${begun}_` : begun
    for (let number = 2; taken.has(name); number++) name = `${begun}_${number}`
    taken.add(name)
    return { name, column, guess }
  })
}

/** The form that most dates have, that of timestamps, and the words for null. */
function formsOf(fields: readonly GuessedField[]): TextForm {
  const formOf = (kind: 'date' | 'timestamp') => {
    const forms = fields.filter(({ guess }) => guess.kind === kind).map(({ guess }) => guess.forms)
    return forms.flat().find((name) => forms.every((some) => some.includes(name) || some.includes('')))
  }
  const [dates = '', timestamps = ''] = [formOf('date'), formOf('timestamp')]
  const nulls = [...new Set(fields.flatMap(({ guess }) => guess.nullWords))]
  return {
    ...(nulls.length > 0 && { null: ['', ...nulls] }),
    ...(dates !== '' && { dates }),
    ...(timestamps !== '' && { timestamps }),
  }
}
