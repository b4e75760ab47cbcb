/** Cells as SQL results have them, to columns. */
import { noDay, type Column, type TextColumn } from '../values/columns.ts'

/** A date is its text. */
export type Cell = string | number | bigint | null

const dayMs = 86_400_000
/** Cell `at` of every row, as a column of that kind. */
export function columnFrom(kind: Column['kind'], cells: readonly (readonly Cell[])[], at: number): Column {
  const take = (row: number) => cells[row]![at]!
  const count = cells.length
  switch (kind) {
    case 'number':
    case 'int': {
      const values = new Float64Array(count)
      for (let row = 0; row < count; row++) values[row] = take(row) === null ? NaN : Number(take(row))
      return { kind, values }
    }
    case 'long': {
      const values = new BigInt64Array(count)
      for (let row = 0; row < count; row++) values[row] = BigInt(take(row)!)
      return { kind, values }
    }
    case 'date': {
      const days = new Int32Array(count)
      for (let row = 0; row < count; row++) days[row] = take(row) === null ? noDay : Math.round(Date.parse(take(row) as string) / dayMs)
      return { kind, days }
    }
    case 'text':
      return textsFrom(cells.map((row) => row[at] as string | null))
  }
}

function textsFrom(texts: readonly (string | null)[]): TextColumn {
  const joined = texts.map((text) => text ?? '').join('')
  const bytes = Buffer.from(joined)
  const lengthOf = bytes.length === joined.length ? (text: string) => text.length : (text: string) => Buffer.byteLength(text)
  const starts = new Int32Array(texts.length)
  const ends = new Int32Array(texts.length)
  let end = 0
  texts.forEach((text, row) => {
    starts[row] = text === null ? -1 : end
    end += text === null ? 0 : lengthOf(text)
    ends[row] = end
  })
  return { kind: 'text', bytes, starts, ends }
}
