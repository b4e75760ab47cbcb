/** One write of the embedded warehouse: rows and progress in one transaction, by whoever does it. */
import type { Columns } from '../../values/columns.ts'
import type { Sqlite } from '../database.ts'
import { checkColumns, rowsTable, type Target } from '../../sql/ddl.ts'
import type { StoredColumn } from '../../sql/declared.ts'
import { insertRows } from './rows.ts'
import type { Progress } from '../../warehouse.ts'

export const target: Target = { dialect: 'sqlite' }

export type Write = { readonly set: string; readonly rows: Columns; readonly progress: Progress | undefined }

export const columnsOf = (db: Sqlite, table: string): readonly StoredColumn[] =>
  db
    .prepare('SELECT name, type FROM pragma_table_info(?)')
    .all(table)
    .map((row) => ({ ...row }) as StoredColumn)

export function writeRows(db: Sqlite, { set, rows, progress }: Write): void {
  db.write(() => {
    if (rows.count > 0) {
      const stored = columnsOf(db, `${set}_rows`)
      checkColumns(set, stored, [...rows.byName.keys()])
      insertRows(db, rowsTable(target, set), stored, rows)
    }
    if (progress) putProgress(db, progress)
  })
}

function putProgress(db: Sqlite, { reader, next }: Progress): void {
  const now = `strftime('%Y-%m-%d %H:%M:%f', 'now')`
  db.prepare(`INSERT OR REPLACE INTO tidemark_progress (reader, next_offset, updated_at) VALUES (?, ?, ${now})`).run(reader, next)
}
