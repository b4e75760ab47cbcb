/** One write of the embedded warehouse: rows and progress in one transaction, by whoever does it. */
import type { Columns } from '../columns.ts'
import { Problem } from '../problem.ts'
import type { Sqlite } from '../sqlite.ts'
import { rowsTable, type Target } from './ddl.ts'
import { insertRows, type StoredColumn } from './embedded-rows.ts'
import type { Progress } from './warehouse.ts'

export const target: Target = { dialect: 'sqlite' }

export type Write = { readonly set: string; readonly rows: Columns; readonly progress: Progress | undefined }

export const columnsOf = (db: Sqlite, table: string): readonly StoredColumn[] =>
  db.prepare('SELECT name, type FROM pragma_table_info(?)').all(table).map((row) => ({ ...row }) as StoredColumn)

export function writeRows(db: Sqlite, { set, rows, progress }: Write): void {
  db.write(() => {
    if (rows.count > 0) {
      checkColumns(set, columnsOf(db, `${set}_rows`), [...rows.byName.keys()])
      insertRows(db, rowsTable(target, set), rows)
    }
    if (progress) putProgress(db, progress)
  })
}

/** A table column for each name, or a Problem. */
export function checkColumns(set: string, stored: readonly StoredColumn[], names: readonly string[]): void {
  if (stored.length === 0) throw new Problem(`the warehouse has no table for ${set} yet`, `Run: tidemark apply ${set}@0`)
  const missing = names.find((name) => !stored.some((column) => column.name === name))
  if (missing === undefined) return
  throw new Problem(`the table ${set}_rows has no column ${missing}`, 'Run the last tidemark apply again: it finishes what was left.')
}

function putProgress(db: Sqlite, { reader, next }: Progress): void {
  const now = `strftime('%Y-%m-%d %H:%M:%f', 'now')`
  db.prepare(`INSERT OR REPLACE INTO tidemark_progress (reader, next_offset, updated_at) VALUES (?, ?, ${now})`).run(reader, next)
}
