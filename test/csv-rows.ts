/** What the CSV reader makes of a text, as rows of plain values. */
import { readCsv, type CsvBatch, type CsvOptions, type Reject } from '../schemas/csv/read.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { noDay, noFlag, wholeAt, type Column } from '../utilities/values/columns.ts'

/** Integers, decimals (without their point) and timestamps (microseconds) are bigints. */
export type Cell = string | number | bigint | boolean | null
/** `_seq`, then the cells. */
export type Row = readonly Cell[]

const bytesOf = (content: string | Uint8Array) => (typeof content === 'string' ? Buffer.from(content) : content)

export async function* cutInto(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let from = 0, next = 0; from < bytes.length; next++) {
    const size = sizes.length === 0 ? bytes.length : sizes[next % sizes.length]!
    // A copy, as a chunk of a real stream is.
    yield bytes.slice(from, from + size)
    from += size
  }
}

export type Reading = Partial<CsvOptions> & { readonly cuts?: readonly number[]; readonly schema: RecordSchema }

export async function batchesOf(content: string | Uint8Array, { cuts = [], schema, ...rest }: Reading): Promise<CsvBatch[]> {
  const batches: CsvBatch[] = []
  for await (const batch of readCsv(schema, cutInto(bytesOf(content), cuts), { place: 'sales.csv', ...rest })) batches.push(batch)
  return batches
}

export const isoDay = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10)

export function rowsOf({ columns }: CsvBatch): Row[] {
  const all = [...columns.byName.values()]
  return Array.from({ length: columns.count }, (_, row) => {
    const cells = all.map((column) => cellAt(column, row))
    return [cells.at(-1)!, ...cells.slice(0, -1)]
  })
}

function cellAt(column: Column, row: number): Cell {
  switch (column.kind) {
    case 'date':
      return column.days[row] === noDay ? null : isoDay(column.days[row]!)
    case 'text':
      return column.starts[row] === -1 ? null : Buffer.from(column.bytes.subarray(column.starts[row], column.ends[row])).toString()
    case 'integer':
    case 'decimal':
    case 'timestamp':
      return wholeAt(column, row)
    case 'flag':
      return column.values[row] === noFlag ? null : column.values[row] === 1
    case 'long':
      throw new Error('no such column here')
    default:
      return Number.isNaN(column.values[row]) ? null : column.values[row]!
  }
}

export type ShortReject = readonly [seq: number, line: number, column: string, reason: string, text: string, afterSeq: number]
export const short = ({ seq, line, column, reason, text, afterSeq }: Reject): ShortReject => [seq, line, column, reason, text, afterSeq]
