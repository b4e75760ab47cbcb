/** A Parquet file as the text that it would be as a CSV, exact to the last digit: its rows are then read and refused as those of a CSV. */
import { csvCell } from '../values/csv-cell.ts'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parquetMetadataAsync, parquetRead, parquetSchema, type FileMetaData, type SchemaElement } from './hyparquet.ts'
import type { TextForm } from '../source.ts'
import { dayText } from '../values/day.ts'
import { decimalText } from '../values/decimal-text.ts'
import { Problem } from '../values/problem.ts'

type ParquetFile = {
  readonly place: string
  readonly size: () => Promise<number>
  readonly read: (from: number) => AsyncIterable<Uint8Array>
}

/** Texts can be empty there, and still be something else than null. */
const nullWord = '\0'
export const parquetForm = ({ delimiter: _, null: words = [''], ...form }: TextForm): TextForm => ({ ...form, null: [...words, nullWord] })

const rowsPerChunk = 5_000

/** Columns other than those `wanted` are in the header and have no values. Nested ones are left out. */
export async function* parquetAsText(stored: ParquetFile, wanted?: readonly string[]): AsyncGenerator<Uint8Array> {
  const { place } = stored
  const file = { byteLength: await stored.size(), slice: rangesOf(stored) }
  const metadata = await readable(place, file, () => parquetMetadataAsync(file, { parsers, geoparquet: false }))
  const unknown = metadata.row_groups
    .flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data?.codec))
    .find((codec) => !codecs.has(codec))
  if (unknown !== undefined)
    throw new Problem(`${place} is compressed by ${unknown}, which is not read here`, `Write it with one of ${[...codecs].join(', ')}.`)
  const columns = parquetSchema(metadata)
    .children.filter(({ element, children }) => children.length === 0 && element.repetition_type !== 'REPEATED')
    .map(({ element }) => ({ name: element.name, textOf: textOf(element), isWanted: wanted?.includes(element.name) ?? true }))
  const chosen = columns.filter(({ isWanted }) => isWanted).map(({ name }) => name)
  const asStored = withoutDecimals(metadata)
  yield Buffer.from(`${columns.map(({ name }) => csvCell(Buffer.from(name).toString('latin1'))).join(',')}\n`, 'latin1')
  let start = 0
  for (const { num_rows: rows } of metadata.row_groups) {
    const end = start + Number(rows)
    const values = await readable(place, file, () => groupOf(file, asStored, chosen, start, end))
    for (let from = 0; from < end - start; from += rowsPerChunk) {
      const lines: string[] = []
      for (let row = from; row < Math.min(end - start, from + rowsPerChunk); row++) {
        const cells = columns.map(({ name, textOf, isWanted }) => {
          const value = isWanted ? values.get(name)![row] : null
          return value === null || value === undefined ? nullWord : csvCell(textOf(value))
        })
        lines.push(`${cells.join(',')}\n`)
      }
      yield Buffer.from(lines.join(''), 'latin1')
    }
    start = end
  }
}

type Values = readonly unknown[]

/** The columns of a row group. */
async function groupOf(
  file: Ranges,
  metadata: FileMetaData,
  columns: string[],
  rowStart: number,
  rowEnd: number,
): Promise<Map<string, Values>> {
  const parts = new Map<string, unknown[][]>(columns.map((name) => [name, []]))
  if (columns.length > 0) {
    await parquetRead({
      file,
      metadata,
      columns,
      rowStart,
      rowEnd,
      parsers,
      compressors,
      utf8: false,
      geoparquet: false,
      onChunk: ({ columnName, columnData }) => parts.get(columnName)!.push(columnData as unknown[]),
    })
  }
  const whole = new Map([...parts].map(([name, some]) => [name, some.length === 1 ? some[0]! : some.flatMap((part) => [...part])]))
  for (const [name, { length }] of whole)
    if (length !== rowEnd - rowStart) throw new RangeError(`${name} has ${length} values in ${rowEnd - rowStart} rows`)
  return whole
}

const compressors = {
  GZIP: (packed: Uint8Array) => gunzipSync(packed),
  BROTLI: (packed: Uint8Array) => brotliDecompressSync(packed),
  ZSTD: (packed: Uint8Array) => zstdDecompressSync(packed),
}

const codecs: ReadonlySet<string | undefined> = new Set(['SNAPPY', 'UNCOMPRESSED', ...Object.keys(compressors)])

/** Every byte is a character, so that no text is changed by being read. */
const latin1 = (bytes: Uint8Array) => bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice()

const parsers = {
  timestampFromMilliseconds: (millis: bigint) => momentText(BigInt(millis), 1000n),
  timestampFromMicroseconds: (micros: bigint) => momentText(BigInt(micros), 1_000_000n),
  timestampFromNanoseconds: (nanos: bigint) => momentText(BigInt(nanos), 1_000_000_000n),
  dateFromDays: (days: number) => dateText(days),
  stringFromBytes: latin1,
  jsonFromBytes: latin1,
}

const dateText = (day: number) => (Math.abs(day) < 10_000_000 ? dayText(day) : `day ${day}`)

/** So many parts of a second since 1970. */
function momentText(count: bigint, perSecond: bigint): string {
  const perDay = perSecond * 86_400n
  const rest = ((count % perDay) + perDay) % perDay
  const second = Number(rest / perSecond)
  const time = [second / 3600, (second / 60) % 60, second % 60].map((part) => String(Math.floor(part)).padStart(2, '0')).join(':')
  const fraction = String(rest % perSecond).padStart(String(perSecond).length - 1, '0')
  return `${dateText(Number((count - rest) / perDay))}T${time}.${fraction}Z`
}

/** hyparquet makes doubles of decimals: their type is taken away, and what is stored is read instead. */
const withoutDecimals = (metadata: FileMetaData): FileMetaData => ({
  ...metadata,
  schema: metadata.schema.map((element) => {
    if (element.converted_type !== 'DECIMAL' && element.logical_type?.type !== 'DECIMAL') return element
    const { converted_type: _, logical_type: __, ...plain } = element
    return plain
  }),
})

function textOf(element: SchemaElement): (value: unknown) => string {
  const { converted_type, logical_type, scale = logical_type?.type === 'DECIMAL' ? logical_type.scale : 0 } = element
  if (converted_type !== 'DECIMAL' && logical_type?.type !== 'DECIMAL')
    return (value) => (value instanceof Uint8Array ? latin1(value) : String(value))
  return (value) => decimalText(value instanceof Uint8Array ? wholeOf(value) : (value as number | bigint), scale)
}

/** Two's complement, the highest byte first. */
const wholeOf = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))

type Ranges = {
  readonly byteLength: number
  readonly slice: ((start: number, end?: number) => Promise<ArrayBuffer>) & { failed?: unknown }
}

function rangesOf({ size, read }: ParquetFile): Ranges['slice'] {
  const slice: Ranges['slice'] = async (start, end) => {
    try {
      const bytes = new Uint8Array((end ?? (await size())) - start)
      let filled = 0
      if (bytes.length > 0) {
        for await (const chunk of read(start)) {
          const part = chunk.subarray(0, bytes.length - filled)
          bytes.set(part, filled)
          filled += part.length
          if (filled === bytes.length) break
        }
      }
      return bytes.buffer.slice(0, filled)
    } catch (error) {
      throw (slice.failed = error)
    }
  }
  return slice
}

/** What goes wrong with the storage is told as such; all else is a file that is not what its beginning says. */
async function readable<T>(place: string, { slice }: Ranges, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (slice.failed !== undefined) throw slice.failed
    const why = (cause as Error).message.replace(/\s+/g, ' ')
    throw new Problem(`${place} is damaged or cut short: it cannot be read as Parquet (${why})`, 'Fetch it again.', { cause })
  }
}
