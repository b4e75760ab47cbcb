/** Tables of one use, in a file beside the others that goes with them. */
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Tables } from '../../tables.ts'
import { openSqliteTables } from './tables.ts'

export function openScratchTables(folder: string): Tables {
  const path = join(folder, `tables-${randomUUID()}.tmp.db`)
  const tables = openSqliteTables(path)
  return {
    ...tables,
    close() {
      tables.close()
      for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
    },
  }
}
