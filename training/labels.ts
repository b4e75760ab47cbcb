/** Labels: rows of a file that are asked about, whatever columns they have. */
import type { TextColumn, Columns } from '../utilities/values/columns.ts'
import type { ColumnFile, FileColumn } from '../utilities/column-file.ts'
import { Problem } from '../utilities/values/problem.ts'

export type LabelPart = {
  readonly rows: Columns
  /** Where a row stands, for messages. */
  readonly placeOf: (row: number) => string
}

export interface Labels {
  readonly place: string
  readonly columns: readonly FileColumn[]
  /** All of them, in order, with these of their columns. */
  read(names: readonly string[], signal?: AbortSignal): AsyncIterable<LabelPart>
}

export function labelsIn(file: ColumnFile): Labels {
  return {
    place: file.place,
    columns: file.columns,
    async *read(names, signal) {
      let before = 0
      for await (const rows of file.read(names, signal)) {
        const first = before + 1
        yield { rows, placeOf: (row) => `row ${first + row}` }
        before += rows.count
      }
    },
  }
}

/** In one line, with what is wrong. */
export const wrongLabel = (labels: string, place: string, what: string, todo: string) => new Problem(`${labels}, ${place}: ${what}`, todo)

export const textAt = ({ bytes, starts, ends }: TextColumn, row: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).utf8Slice(starts[row]!, ends[row]!)

/** As it may stand in a message. */
export const quoted = (text: string): string => `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`
