/** The tables of the warehouse as SQLite has them. */
import type { StoredColumn } from '../../sql/declared.ts'
import type { Target } from '../../sql/names.ts'
import type { Sqlite } from '../database.ts'

export const target: Target = { dialect: 'sqlite' }

/** None: there is no such table. */
export const columnsOf = (db: Sqlite, table: string): readonly StoredColumn[] =>
  db
    .prepare('SELECT name, type FROM pragma_table_info(?)')
    .all(table)
    .map((row) => ({ ...row }) as StoredColumn)
