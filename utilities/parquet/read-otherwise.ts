/** A column whose encoding has no fast way of ours: hyparquet gives a value for each row, and they become what the fast way would give. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { putWhole } from '../values/columns.ts'
import { parquetRead, type FileMetaData } from './hyparquet.ts'
import { newValues, takePlain, type Values } from './plain-values.ts'
import type { ChunkAsked, ChunkValues } from './read-chunk.ts'

type Asked = {
  readonly file: { readonly byteLength: number; readonly slice: (start: number, end?: number) => Promise<ArrayBuffer> }
  readonly metadata: FileMetaData
  readonly name: string
  /** The first row. */
  readonly from: number
  readonly asked: ChunkAsked
}

const compressors = {
  GZIP: (packed: Uint8Array) => gunzipSync(packed),
  BROTLI: (packed: Uint8Array) => brotliDecompressSync(packed),
  ZSTD: (packed: Uint8Array) => zstdDecompressSync(packed),
}

export async function readOtherwise({ file, metadata, name, from, asked }: Asked): Promise<ChunkValues> {
  const { rows, as } = asked
  const values = newValues(as, rows)
  const present = new Int32Array(rows)
  let row = 0
  await parquetRead({
    file,
    metadata: asStored(metadata),
    columns: [name],
    rowStart: from,
    rowEnd: from + rows,
    compressors,
    utf8: false,
    geoparquet: false,
    onChunk({ columnData }) {
      for (const value of columnData as Iterable<unknown>) {
        if (value !== null && value !== undefined) {
          present[row] = 1
          put(values, row, value as Value, asked)
        }
        row++
      }
    },
  })
  if (row !== rows) throw new RangeError(`${name} has ${row} values in ${rows} rows`)
  return { values, present }
}

type Value = number | bigint | boolean | Uint8Array

function put(values: Values, row: number, value: Value, asked: ChunkAsked): void {
  if (value instanceof Uint8Array) {
    const bytes = new Uint8Array(4 + value.length)
    new DataView(bytes.buffer).setUint32(0, value.length, true)
    bytes.set(value, 4)
    takePlain(values, row, bytes, asked.length === 0 ? 0 : 4, 1, asked)
  } else if (values.longs.length > 0) values.longs[row] = BigInt(value)
  else if (typeof value === 'bigint') putWhole(values.numbers, values.wide, row, value)
  else values.numbers[row] = Number(value)
}

/** Without what their values mean: that is told by whoever asks. */
const asStored = (metadata: FileMetaData): FileMetaData => ({
  ...metadata,
  schema: metadata.schema.map(({ converted_type: _, logical_type: __, ...plain }) => plain),
})
