/** The rows that stand: what is staged becomes of them, and they are read by key, or by the commit that wrote them last. */
import type { Columns } from '../../values/columns.ts'
import type { Joined, StoredTable } from '../../tables.ts'
import type { Sqlite } from '../database.ts'
import { ask, asked, askedKeys } from './asked.ts'
import { selectColumns, valuesAt } from './columns.ts'
import { commit, gone, joinedSql, placed, rowsOf, stagedOf, type Lies } from './joins.ts'
import { seq } from './lists.ts'
import { columnsOf, countOf, create, keysOf, listed } from './staging.ts'

/** How many rows are read at once where nobody says. */
const rowsAtOnce = 10_000

export const isEmpty = (db: Sqlite, name: string): boolean => db.prepare(`SELECT 1 FROM ${name} LIMIT 1`).get() === undefined

/** True where all of its rows are written by this commit: none stood. Nothing is done where nothing is staged. */
export function become(db: Sqlite, table: StoredTable, number: number): boolean {
  const [rows, staged] = [rowsOf(table), stagedOf(table)]
  if (isEmpty(db, staged)) return false
  if (isEmpty(db, rows)) {
    // Among them is no row that goes: only one that stands can.
    db.exec(`DROP TABLE ${rows}; ALTER TABLE ${staged} RENAME TO ${rows}`)
    create(db, table, stagedOf)
    return true
  }
  const [keys, columns] = [listed(keysOf(table)), listed(columnsOf(table))]
  db.prepare(`DELETE FROM ${rows} WHERE (${keys}) IN (SELECT ${keys} FROM ${staged} WHERE ${gone})`).run()
  db.prepare(
    `INSERT OR REPLACE INTO ${rows} (${columns}, ${gone}, ${commit}) SELECT ${columns}, 0, ? FROM ${staged} WHERE NOT ${gone}`,
  ).run(number)
  db.prepare(`DELETE FROM ${staged}`).run()
  return false
}

export function find(db: Sqlite, table: StoredTable, keys: Columns, lies: (table: StoredTable) => Lies): Columns {
  ask(db, table, keys)
  const joined: Joined = { of: table, join: {}, wanted: Object.keys(table.fields) }
  const { from, where, expression } = joinedSql(joined, lies, askedKeys(table))
  const those = where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''
  const columns = ['a.n - 1', ...joined.wanted.map(expression)].join(', ')
  return selectColumns(db, `SELECT ${columns} FROM ${asked} a ${from}${those} ORDER BY a.n`, [seq, ...placed(joined, joined.wanted)], [])
}

/** `first` is the number of the commit that filled it. */
const isBefore = `coalesce(${commit}, ?) < ?`

type Before = { readonly number: number; readonly first: number; readonly most: number; readonly behind: Columns | undefined }

export function before(db: Sqlite, table: StoredTable, { number, first, most, behind }: Before): Columns {
  const keyed = keysOf(table)
  const keys = listed(keyed)
  const last = behind && behind.count > 0 ? valuesAt(behind, keyed, behind.count - 1) : []
  const further = last.length > 0 ? ` AND (${keys}) > (${last.map(() => '?').join(', ')})` : ''
  const query = `SELECT ${keys} FROM ${rowsOf(table)} WHERE ${isBefore}${further} ORDER BY ${keys} LIMIT ?`
  return selectColumns(db, query, keyed, [first, number, ...last, most])
}

export const countBefore = (db: Sqlite, table: StoredTable, number: number, first: number): number =>
  countOf(db, `${rowsOf(table)} WHERE ${isBefore}`, first, number)

export function* standing(db: Sqlite, joined: Joined, lies: (table: StoredTable) => Lies): Generator<Columns> {
  const { of, wanted } = joined
  const { from, where, expression } = joinedSql(joined, lies, undefined)
  const keys = keysOf(of)
  const keyed = keys.map(({ name }) => expression(name)).join(', ')
  const selected = [...placed(joined, wanted), ...keys.map(({ name, column }) => ({ name: `.${name}`, column }))]
  const query = (behind: readonly string[]) => {
    const all = [...behind, ...where]
    const rows = `${from}${all.length > 0 ? ` WHERE ${all.join(' AND ')}` : ''}`
    return `SELECT ${wanted.map((name) => `${expression(name)}, `).join('')}${keyed} FROM ${rows} ORDER BY ${keyed} LIMIT ${rowsAtOnce}`
  }
  let columns = selectColumns(db, query([]), selected, [])
  for (let before = 0; columns.count > 0;) {
    const numbers = Float64Array.from({ length: columns.count }, (_, row) => before + row + 1)
    before += columns.count
    const byName = new Map([...columns.byName].filter(([name]) => !name.startsWith('.')))
    yield { count: columns.count, byName: byName.set('_seq', { kind: 'int', values: numbers }) }
    const last = valuesAt(
      columns,
      keys.map(({ name, column }) => ({ name: `.${name}`, column })),
      columns.count - 1,
    )
    columns = selectColumns(db, query([`(${keyed}) > (${keys.map(() => '?').join(', ')})`]), selected, last)
  }
}
