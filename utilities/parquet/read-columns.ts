/** A Parquet file as columns of the kinds that rows have here: a row group at a time, and of it the columns that are asked for. */
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Column, Columns } from '../values/columns.ts'
import { ownTexts } from '../values/own-texts.ts'
import { Problem } from '../values/problem.ts'
import type { ColumnFile, FileColumn } from '../column-file.ts'
import { magic } from './headers.ts'
import { kindOf } from './column-kinds.ts'
import { parquetMetadataAsync, parquetSchema, type FileMetaData } from './hyparquet.ts'
import { chunkValues, NotRead, release } from './read-chunk.ts'
import { readOtherwise } from './read-otherwise.ts'

/** Rows of a part: a row group may be as large as its writer liked. */
const rowsPerPart = 131_072

/** Bytes that can be read from any place. */
type Stored = { readonly size: number; at(from: number, length: number): Promise<Uint8Array>; close(): Promise<void> }

export const openParquetColumns = (path: string, { isOurs = false } = {}): Promise<ColumnFile> =>
  columnsIn(path, isOurs, async () => storedIn(await opened(path)))

/** A whole file in memory. */
export const parquetColumnsOf = (place: string, bytes: Uint8Array): Promise<ColumnFile> =>
  columnsIn(place, false, async () => ({
    size: bytes.length,
    at: async (from, length) => bytes.slice(from, from + length),
    close: async () => {},
  }))

async function storedIn(file: FileHandle): Promise<Stored> {
  const { size } = await file.stat()
  return { size, at: (from, length) => bytesAt(file, from, length), close: () => file.close() }
}

async function columnsIn(path: string, isOurs: boolean, openStored: () => Promise<Stored>): Promise<ColumnFile> {
  const stored = await openStored()
  const metadata = await metadataOf(path, stored).finally(() => stored.close())
  const leaves = parquetSchema(metadata).children.filter(
    ({ element, children }) => children.length === 0 && element.repetition_type !== 'REPEATED',
  )
  const kinds = new Map(
    leaves.flatMap(({ element }) => (kindOf(element, isOurs) ? [[element.name, kindOf(element, isOurs)!] as const] : [])),
  )
  return {
    place: path,
    columns: [...kinds].map(([name, { type, withoutZone }]): FileColumn => ({ name, type, ...(withoutZone && { withoutZone }) })),
    async *read(names, signal) {
      const file = await openStored()
      let before = 0
      try {
        for (const group of metadata.row_groups) {
          signal?.throwIfAborted()
          const rows = Number(group.num_rows)
          const byName = new Map<string, Column>()
          for (const name of names) {
            const kind = kinds.get(name)
            const about = group.columns.find(
              ({ meta_data }) => meta_data?.path_in_schema.length === 1 && meta_data.path_in_schema[0] === name,
            )
            if (!kind || !about?.meta_data) throw new TypeError(`${path} has no column ${name}`)
            const { codec, total_compressed_size: size, data_page_offset: data, dictionary_page_offset: dictionary } = about.meta_data
            const from = Number(dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data)
            const asked = { ...kind.asked, codec, rows }
            const values = await readable(path, name, async () => {
              const bytes = await file.at(from, Number(size))
              const found = chunkValues(bytes, asked)
              release(bytes)
              return found ?? readOtherwise({ ...sliced(file), metadata, name, from: before, asked })
            })
            byName.set(name, kind.columnOf(values, rows))
          }
          before += rows
          yield* parts({ count: rows, byName })
        }
      } finally {
        await file.close()
      }
    },
  }
}

/** By its first bytes, whatever its name. */
export const isParquet = (path: string): Promise<boolean> =>
  withFile(path, async (file) => {
    const { buffer, bytesRead } = await file.read(new Uint8Array(4), 0, 4, 0)
    return bytesRead === 4 && Buffer.from(buffer).toString('latin1') === magic
  })

/** The files of a folder, one behind the other in the order of their names. */
export async function openParquetFolder(folder: string): Promise<readonly ColumnFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new Problem(`${folder} is no folder that can be read (${cause.code})`, 'Name the folder that export has made.', { cause })
  })
  const paths = entries.filter((one) => one.isFile() && one.name.endsWith('.parquet')).map(({ parentPath, name }) => join(parentPath, name))
  if (paths.length === 0) throw new Problem(`${folder} holds no Parquet file`, 'Name the folder that export has made.')
  return Promise.all(paths.sort((a, b) => (a < b ? -1 : 1)).map((path) => openParquetColumns(path, { isOurs: true })))
}

/** Each part has arrays of its own: what is passed on to another thread is no more than it. */
function* parts(rows: Columns): Generator<Columns> {
  if (rows.count <= rowsPerPart) {
    if (rows.count > 0) yield rows
    return
  }
  for (let from = 0; from < rows.count; from += rowsPerPart) {
    const end = Math.min(rows.count, from + rowsPerPart)
    yield { count: end - from, byName: new Map([...rows.byName].map(([name, column]) => [name, part(column, from, end)])) }
  }
}

function part(column: Column, from: number, end: number): Column {
  switch (column.kind) {
    case 'text':
      return ownTexts({ ...column, starts: column.starts.subarray(from, end), ends: column.ends.subarray(from, end) })
    case 'date':
      return { ...column, days: column.days.slice(from, end) }
    case 'long':
      return { ...column, values: column.values.slice(from, end) }
    case 'flag':
      return { ...column, values: column.values.slice(from, end) }
    case 'number':
    case 'int':
      return { ...column, values: column.values.slice(from, end) }
    default: {
      const wide = new Map([...(column.wide ?? [])].flatMap(([row, value]) => (row >= from && row < end ? [[row - from, value]] : [])))
      return { ...column, values: column.values.slice(from, end), wide }
    }
  }
}

async function opened(path: string): Promise<FileHandle> {
  return open(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new Problem(`there is no file ${path}`, 'Check the path.', { cause })
    throw new Problem(`${path} cannot be read (${cause.code ?? cause.message})`, 'Check its permissions and the disk.', { cause })
  })
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await opened(path)
  return work(file).finally(() => file.close())
}

const metadataOf = (path: string, stored: Stored): Promise<FileMetaData> =>
  readable(path, undefined, () => parquetMetadataAsync(sliced(stored).file, { geoparquet: false }))

const sliced = ({ size, at }: Stored) => ({
  file: {
    byteLength: size,
    async slice(start: number, end = size) {
      const { buffer, byteOffset, length } = await at(start, end - start)
      return buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer
    },
  },
})

async function bytesAt(file: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, from)
  if (bytesRead < length) throw new RangeError('it ends too early')
  return buffer
}

async function readable<T>(path: string, column: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const why = (cause as Error).message.replace(/\s+/g, ' ')
    if (cause instanceof NotRead)
      throw new Problem(`column ${column} of ${path} is packed by ${why}, which is not read here`, 'Write it with snappy or zstd.', {
        cause,
      })
    throw new Problem(`${path} is damaged or cut short: it cannot be read as Parquet (${why})`, 'Fetch it again.', { cause })
  }
}
