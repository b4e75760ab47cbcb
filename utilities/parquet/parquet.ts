/** Rows go in as columns and come out as Parquet files: one behind the other in a folder, or in a folder for each value of a column. */
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Columns } from '../columns.ts'
import type { SqlColumn } from '../warehouse/warehouse.ts'
import { parquetFile } from './parquet-file.ts'
import { openFolders, partName, unwritten } from './parquet-folders.ts'

export type ParquetOptions = {
  /** It exists, and is empty. */
  readonly folder: string
  readonly columns: readonly SqlColumn[]
  /** A folder COLUMN=value for each of this column's values, null as NULL; the files in it leave the column out. */
  readonly partitionBy?: string
  readonly rowsPerFile?: number
}

export interface ParquetWriter {
  /** Rows behind those before, by the names of the columns; a file is complete whenever there are enough for one. Nothing of them is kept. */
  append(rows: Columns): Promise<void>
  /** Writes what is left, and one file without rows when there were none; not so with folders, which have nobody's rows then. */
  finish(): Promise<void>
  /** At any time; what is not finished is no use. */
  close(): void
}

export async function openParquet({ folder, columns, partitionBy, rowsPerFile = 1_000_000 }: ParquetOptions): Promise<ParquetWriter> {
  return partitionBy === undefined ? openFiles(folder, columns, rowsPerFile) : openFolders({ folder, columns, partitionBy, rowsPerFile })
}

/** However many rows come at once: what is ready does not pile up. */
const mostRowsAtOnce = 16_384

function openFiles(folder: string, columns: readonly SqlColumn[], rowsPerFile: number): ParquetWriter {
  let handle: FileHandle | undefined
  let ready: Uint8Array[] = []
  let files = 0
  const file = parquetFile(columns, (bytes) => ready.push(bytes))

  const write = async () => {
    if (ready.length === 0) return
    const bytes = Buffer.concat(ready)
    ready = []
    handle ??= await open(join(folder, partName(++files)), 'wx').catch(unwritten)
    await handle.appendFile(bytes).catch(unwritten)
  }
  const complete = async () => {
    file.finish()
    await write()
    await handle!.close().catch(unwritten)
    handle = undefined
  }

  return {
    async append(rows) {
      for (let from = 0; from < rows.count;) {
        const end = Math.min(rows.count, from + mostRowsAtOnce, from + rowsPerFile - file.rows)
        file.append(rows, from, end)
        from = end
        await write()
        if (file.rows === rowsPerFile) await complete()
      }
    },
    async finish() {
      if (file.rows > 0 || files === 0) await complete()
    },
    close() {
      // Whatever went wrong before has been said.
      handle?.close().catch(() => {})
      handle = undefined
    },
  }
}
