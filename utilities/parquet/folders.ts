/**
 * Parquet files in a folder for each value of a column: rows are gathered until there are enough for a part, and each folder gets its own
 * of them.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { textsOf, wholeTexts, type TextAt } from '../values/cell-text.ts'
import { pick, type Column, type Columns } from '../values/columns.ts'
import { Problem } from '../values/problem.ts'
import { timestampText } from '../values/timestamp.ts'
import type { SqlColumn, SqlType } from '../warehouse.ts'
import { parquetFile } from './file.ts'
import { newPart } from './part.ts'
import type { ParquetOptions, ParquetWriter } from './writer.ts'

/** More folders than this are a mistake: a column that hardly repeats itself. */
const mostFolders = 10_000
/** So few rows are copied out of a part at a time. */
const rowsPerCopy = 8_192

export const partName = (part: number): string => `part-${String(part).padStart(5, '0')}.parquet`

/** As Hive, Spark, PyArrow and Polars call the folder of the rows without a value, and DuckDB from 1.5 on. */
const noValue = '__HIVE_DEFAULT_PARTITION__'

/** For what the system refuses. */
export function unwritten(cause: Error): never {
  const why = cause.message.replace(/\s+/g, ' ').replace(/\.$/, '')
  throw new Problem(`the Parquet files cannot be written (${why})`, 'Check the folder given to --out and the space left there.', { cause })
}

export function openFolders({ folder, columns, partitionBy, rowsPerFile }: Required<ParquetOptions>): ParquetWriter {
  const by = columns.find(({ name }) => name === partitionBy)
  if (!by) throw new TypeError(`there is no column ${partitionBy}`)
  let ready: Uint8Array[] = []
  const file = parquetFile(
    columns.filter((column) => column !== by),
    (bytes) => ready.push(bytes),
  )
  let part = newPart(columns)
  let parts = 0

  const bytesOf = (rows: Columns, places: Int32Array): Uint8Array => {
    for (let from = 0; from < places.length; from += rowsPerCopy) file.append(pick(rows, places.subarray(from, from + rowsPerCopy)))
    file.finish()
    const bytes = Buffer.concat(ready)
    ready = []
    return bytes
  }
  const writePart = async () => {
    const rows = part.columns()
    part = newPart(columns)
    const name = partName(++parts)
    const { names, places } = split(rows, by)
    for (const [i, value] of names.entries()) {
      const inside = join(folder, `${escaped(by.name)}=${value === null ? noValue : escaped(value)}`)
      await mkdir(inside, { recursive: true }).catch(unwritten)
      await writeFile(join(inside, name), bytesOf(rows, places[i]!), { flag: 'wx' }).catch(unwritten)
    }
  }

  return {
    async append(rows) {
      for (let from = 0; from < rows.count;) {
        from = part.add(rows, from, rowsPerFile)
        if (part.isFull(rowsPerFile)) await writePart()
      }
    },
    async finish() {
      if (!part.isEmpty()) await writePart()
    },
    close() {},
  }
}

/** The different values, null for none, and which rows have each; or a Problem. */
function split(
  rows: Columns,
  { name, type }: SqlColumn,
): { readonly names: readonly (string | null)[]; readonly places: readonly Int32Array[] } {
  const textAt = namesIn(rows.byName.get(name)!, type)
  const folders = new Map<string | null, number>()
  const counts: number[] = []
  const folderOf = new Int32Array(rows.count)
  for (let row = 0; row < rows.count; row++) {
    const text = textAt(row)
    let folder = folders.get(text)
    if (folder === undefined) folders.set(text, (folder = counts.push(0) - 1))
    counts[folder]!++
    folderOf[row] = folder
  }
  const names = [...folders.keys()]
  const values = names.filter((value) => value !== null)
  if (values.length > mostFolders) {
    throw new Problem(
      `${name} has ${values.length} different values, and each would be a folder`,
      `Partition by a column with at most ${mostFolders}.`,
    )
  }
  // DuckDB takes NULL for no value too, and nobody could tell the rows of one from those of the other.
  const mistaken = values.find((value) => value.toUpperCase() === 'NULL' || value === noValue)
  if (mistaken !== undefined) {
    throw new Problem(
      `${name} holds the text ${mistaken}, which as the name of a folder stands for no value`,
      'Partition by another column.',
    )
  }
  const places = counts.map((count) => new Int32Array(count))
  const filled = new Int32Array(counts.length)
  for (let row = 0; row < rows.count; row++) {
    const folder = folderOf[row]!
    places[folder]![filled[folder]!++] = row
  }
  return { names, places }
}

/** What those who read folders as values take back. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

/** As SQL engines write them. */
function namesIn(column: Column, type: SqlType): TextAt {
  if (type === 'double' && (column.kind === 'number' || column.kind === 'int'))
    return (row) => (Number.isNaN(column.values[row]!) ? null : doubleText(column.values[row]!))
  return column.kind === 'timestamp' ? wholeTexts(column, timestampText) : textsOf(column)
}

/** With a point, or with an exponent of two digits at least. */
function doubleText(value: number): string {
  const size = Math.abs(value)
  if (value !== 0 && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  return Object.is(value, -0) ? '-0.0' : Number.isInteger(value) ? `${value}.0` : String(value)
}
