/** Labels of a CSV file: all columns are texts, as they stand there, until somebody wants to know what they hold. */
import { readCsv } from '../schemas/csv/read.ts'
import type { Field, RecordSchema } from '../schemas/record.ts'
import { sqlType } from '../schemas/sql.ts'
import type { SourceFile } from '../utilities/source.ts'
import { columnOf, type Column } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import { headerNames } from '../schemas/csv/header-names.ts'
import type { FileColumn } from '../utilities/column-file.ts'
import { quoted, wrongLabel, type Labels } from './labels.ts'
import { plainKinds } from './plain-kinds.ts'

type Kind = Exclude<Field['kind'], 'decimal' | 'text' | 'flag'>

export async function csvLabels(file: SourceFile): Promise<Labels> {
  const names = await headerNames(file)
  const nameless = names.findIndex((name) => name.trim() === '')
  if (nameless >= 0) throw new Problem(`${file.place} has no name for its column ${nameless + 1}`, 'Its first line must name every column.')
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) throw new Problem(`${file.place} has two columns ${quoted(twice)}`, 'Rename one of them in its header.')
  return labelsOf(file, names, new Map())
}

/** The same with numbers, dates and moments where all cells of a column are such; columns of these names stay texts. */
export async function typedLabels(file: SourceFile, labels: Labels, texts: readonly string[], signal?: AbortSignal): Promise<Labels> {
  const names = labels.columns.map(({ name }) => name)
  const some = names.filter((name) => !texts.includes(name))
  const kinds = plainKinds(some.length)
  for await (const { rows } of labels.read(some, signal))
    kinds.take(
      some.map((name) => columnOf(rows, name, 'text')),
      rows.count,
    )
  const found = kinds.found()
  return labelsOf(file, names, new Map(some.flatMap((name, i) => (found[i] === undefined ? [] : [[name, found[i]]]))))
}

function labelsOf(file: SourceFile, names: readonly string[], kinds: ReadonlyMap<string, Kind>): Labels {
  const fieldOf = (csv: string): Field => {
    const kind = kinds.get(csv)
    return kind === undefined ? { kind: 'text', csv, nullable: true, bytes: 65_535 } : { kind, csv, nullable: true }
  }
  return {
    place: file.place,
    columns: names.map((name): FileColumn => ({ name, type: sqlType(fieldOf(name)) })),
    async *read(wanted, signal) {
      // Under names of ours: theirs may be those that the reader gives.
      const fields = Object.fromEntries(wanted.map((csv, i) => [`c${i}`, fieldOf(csv)]))
      const schema: RecordSchema = { name: 'labels', at: '', fields }
      const options = { place: file.place, form: file.form, withLines: true } as const
      for await (const { columns, rejects } of readCsv(schema, file.read(signal, wanted), options)) {
        signal?.throwIfAborted()
        const [wrong] = rejects
        if (wrong) {
          const what = wrong.column === '' ? wrong.reason : `${wrong.column}: ${wrong.reason}`
          throw wrongLabel(file.place, `line ${wrong.line}`, what, 'Correct that line: every label is kept, and none is left out.')
        }
        const lines = columnOf(columns, '_line', 'int').values
        const byName = new Map<string, Column>(wanted.map((name, i) => [name, columns.byName.get(`c${i}`)!]))
        yield { rows: { count: columns.count, byName }, placeOf: (row) => `line ${lines[row]}` }
      }
    },
  }
}
