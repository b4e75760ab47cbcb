/** Keys that are asked for, in a table of one use: what is looked up by them is found by its index, however many there are. */
import type { Column, Columns } from '../../values/columns.ts'
import type { StoredTable } from '../../tables.ts'
import type { Sqlite } from '../database.ts'
import { insertColumns, quoted, type Placed } from './columns.ts'

export const asked = 'temp.asked'
export const keysAs = ({ key }: StoredTable): readonly string[] => key.map((_, i) => `k${i}`)
export const askedKeys = (table: StoredTable): readonly string[] => keysAs(table).map((name) => `a.${name}`)

/** `n` counts them from 1 on. */
export function ask(db: Sqlite, table: StoredTable, { count, byName }: Columns): void {
  emptied(db, 'asked', `n INTEGER PRIMARY KEY, ${keysAs(table).join(', ')}, known INTEGER`)
  const nobodySaid: Column = { kind: 'int', values: new Float64Array(count).fill(NaN) }
  const keys = table.key.map((name): Placed => ({ name, column: table.fields[name]! }))
  const known = byName.get('_known') ?? nobodySaid
  const into = `INSERT INTO ${asked} (${[...keysAs(table), 'known'].join(', ')})`
  insertColumns(db, into, { count, byName: new Map([...byName, ['.known', known]]) }, [...keys, { name: '.known', column: 'int' }])
}

/** A table of that connection alone with these columns. Made only where it is not there, or statements would be compiled again. */
export function emptied(db: Sqlite, name: string, columns: string): void {
  const made = db.prepare('SELECT sql FROM temp.sqlite_schema WHERE name = ?').get(name)?.['sql']
  if (made === `CREATE TABLE ${quoted(name)} (${columns})`) return void db.prepare(`DELETE FROM temp.${quoted(name)}`).run()
  db.exec(`DROP TABLE IF EXISTS temp.${quoted(name)}; CREATE TEMP TABLE ${quoted(name)} (${columns})`)
}
