/** Files that people name, read and written: the other place that knows adapters, which load only when they are used. */
import type { ColumnFile } from '../utilities/column-file.ts'
import type { ParquetOptions } from '../utilities/parquet/writer.ts'
import type { ParquetThread } from '../utilities/parquet/thread.ts'
import type { Source, TextForm } from '../utilities/source.ts'

const isS3 = (place: string) => place.startsWith('s3://')

/** An object in S3 is opened as such; anything else lies on this machine. */
export async function sources() {
  const { isThere, sourceOnDisk } = await import('../utilities/files/place.ts')
  const { lazySource } = await import('../utilities/files/lazy.ts')
  return {
    isThere: (place: string) => isS3(place) || isThere(place),
    open: (place: string, form?: TextForm): Source =>
      isS3(place)
        ? lazySource(place, async () => (await import('../utilities/s3/source.ts')).s3Source(place, form))
        : sourceOnDisk(place, form),
  }
}

/** For standard input. */
export const standardInput = '-'

/**
 * The file that a command names, looked at before anything is made: a mistyped name leaves no data directory behind, and no other file
 * takes its place.
 */
export async function sourceAt(place: string, form: TextForm): Promise<Source> {
  if (place === standardInput) {
    const { standardInput } = await import('../utilities/files/standard-input.ts')
    return standardInput(process.stdin, form)
  }
  const source = (await sources()).open(place, form)
  for (const file of await source.files()) for await (const _ of file.read()) break
  return source
}

/** Columns to Parquet files, in a thread of their own. */
export async function wireParquet(options: ParquetOptions): Promise<ParquetThread> {
  const { openParquetThread } = await import('../utilities/parquet/thread.ts')
  return openParquetThread(options)
}

/** A file of labels, with its size and checksum; a mistyped name is said before anything is made. */
export async function wireLabels(place: string, signal: AbortSignal) {
  const source = (await sources()).open(place)
  const { size: bytes, sha256 } = await source.identify(signal)
  const mark = { file: place, bytes, sha256 }
  const { isParquet, openParquetColumns } = await import('../utilities/parquet/read-columns.ts')
  if (!isS3(place) && (await isParquet(place))) return { parquet: await openParquetColumns(place), mark }
  const [csv] = await source.files()
  return { csv: csv!, mark }
}

/** The Parquet files of a folder of exported rows, in order. */
export async function wireColumns(folder: string): Promise<readonly ColumnFile[]> {
  const { openParquetFolder } = await import('../utilities/parquet/read-columns.ts')
  return openParquetFolder(folder)
}
