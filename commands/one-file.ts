/**
 * Rows as one file, Parquet or CSV by its name, that is put in place when it is whole: whatever goes wrong before, nothing of it is left.
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, basename } from 'node:path'
import { wireParquet } from '../config/files.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { SqlColumn } from '../utilities/warehouse.ts'
import { openCsv } from './csv-file.ts'
import { filled } from './folder.ts'
import { usage } from './words.ts'

export function formatOf(out: string): 'csv' | 'parquet' {
  const [, ending] = /\.(csv|parquet)$/.exec(out) ?? []
  if (ending === undefined) throw usage(`--out ${out} is neither .csv nor .parquet`, 'Name the file to make, e.g. --out training.parquet.')
  return ending as 'csv' | 'parquet'
}

export function checkFree(path: string): void {
  if (existsSync(path)) throw new Problem(`${path} is there already`, 'Choose another name, or move it away.')
}

type Fill = (append: (rows: Columns) => Promise<void>) => Promise<void>

/** Its name, size and checksum. */
export async function oneFile(out: string, columns: readonly SqlColumn[], fill: Fill, signal: AbortSignal) {
  checkFree(out)
  const isParquet = formatOf(out) === 'parquet'
  const folder = join(dirname(out), `.${basename(out)}.${process.pid}`)
  try {
    await filled(folder, async ({ folder: inside }) => {
      const files = isParquet
        ? await wireParquet({ folder: inside, columns, rowsPerFile: Number.MAX_SAFE_INTEGER })
        : await openCsv(join(inside, 'rows.csv'), columns)
      try {
        await fill(files.append)
        signal.throwIfAborted()
        await files.finish()
        signal.throwIfAborted()
      } finally {
        await files.close()
      }
    })
    const [made] = await readdir(folder)
    const mark = await markOf(join(folder, made!))
    await rename(join(folder, made!), out)
    return { file: out, ...mark }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function markOf(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}
