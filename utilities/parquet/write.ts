/** Rows go in as columns and come out as Parquet files: one behind the other in a folder, or in a folder for each value of a column. */
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { SqlColumn } from '../warehouse.ts'
import { parquetFile } from './file.ts'
import { openFolders, partName, unwritten } from './folders.ts'
import type { ParquetOptions, ParquetWriter } from './writer.ts'

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
