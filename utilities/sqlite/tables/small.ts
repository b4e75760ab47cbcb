/**
 * Small tables that many rows refer to, in memory: what a row refers to is had by a look into a map, where SQLite would search its tree and
 * give each cell anew for each row. What is joined here is what SQL would join, and `listed.ts` does the rest by SQL.
 */
import type { Joined, StoredTable } from '../../tables.ts'
import { pick, type Column, type Columns } from '../../values/columns.ts'
import { pickerOf } from '../../values/pick-or-null.ts'
import type { Sqlite } from '../database.ts'
import type { Value } from '../fill.ts'
import { cellsOf, columnFrom, quoted, sqlType, type Cells } from './columns.ts'
import { columnAt, gone, placeOf, rowsOf, stagedOf, type Lies } from './joins.ts'

export type SmallJoin = {
  readonly name: string
  readonly table: StoredTable
  readonly on: string
  readonly optional: boolean
  /** Of the table's columns. */
  readonly wanted: readonly string[]
}

export type Split = { readonly inSql: Joined; readonly small: readonly SmallJoin[] }

/** Which joins are made here: of tables that `isSmall`, by one column of theirs, and nothing else is joined by what they have. */
export function splitJoins(joined: Joined, isSmall: (table: StoredTable) => boolean): Split {
  const inSql = { ...joined.join }
  const small: SmallJoin[] = []
  const isNeeded = (name: string) =>
    Object.entries(joined.join).some(([other, { on }]) => other !== name && on.some((column) => placeOf(column).alias === name))
  for (const [name, { table, on, optional }] of Object.entries(joined.join)) {
    const [only, ...more] = on as readonly [string, ...string[]]
    if (more.length > 0 || isNeeded(name) || !isAlike(columnAt(joined, only), table) || !isSmall(table)) continue
    delete inSql[name]
    const wanted = joined.wanted.flatMap((column) => (placeOf(column).alias === name ? [placeOf(column).name] : []))
    small.push({ name, table, on: only, optional, wanted })
  }
  const isHere = (column: string) => small.some(({ name }) => name === placeOf(column).alias)
  const wanted = [...new Set([...joined.wanted.filter((column) => !isHere(column)), ...small.map(({ on }) => on)])]
  return { inSql: { of: joined.of, join: inSql, wanted }, small }
}

const isAlike = (given: StoredTable['fields'][string], { key, fields }: StoredTable): boolean =>
  sqlType(given) === sqlType(fields[key[0]!]!)

export type SmallRows = { readonly columns: ReadonlyMap<string, Column>; readonly rowOf: ReadonlyMap<Value, number> }

/** A look at all rows of the table. */
export function smallRows(db: Sqlite, { table, wanted }: SmallJoin, lies: Lies): SmallRows {
  const key = quoted(table.key[0]!)
  const cells = ['', ...wanted.map((name) => `, ${quoted(name)}`)].join('')
  const found = new Map<Value, readonly Value[]>()
  if (lies !== 'staged') for (const row of cellsOf(db, `SELECT ${key}${cells} FROM ${rowsOf(table)}`, [])) found.set(asKey(row[0]!), row)
  if (lies !== 'rows')
    for (const row of cellsOf(db, `SELECT ${key}${cells}, ${gone} FROM ${stagedOf(table)}`, []))
      if (Number(row.at(-1)) === 1) found.delete(asKey(row[0]!))
      else found.set(asKey(row[0]!), row)
  const rows = [...found.values()]
  return {
    columns: new Map(wanted.map((name, i) => [name, columnFrom(table.fields[name]!, rows, i + 1)])),
    rowOf: new Map([...found.keys()].map((one, row) => [one, row])),
  }
}

/** Where any integer of a query is large, all of them come as bigints. */
const asKey = (cell: Value): Value => (typeof cell === 'bigint' && Number.isSafeInteger(Number(cell)) ? Number(cell) : cell)

/** The rows with what they refer to; those that lack what they need are left out. `keys` are the cells that they refer by. */
export function joinSmall(
  { count, byName }: Columns,
  joins: readonly { readonly join: SmallJoin; readonly rows: SmallRows; readonly keys: readonly Value[] }[],
): Columns {
  const all = new Map(byName)
  const isThere = new Uint8Array(count).fill(1)
  for (const { join, rows, keys } of joins) {
    const at = new Int32Array(count)
    for (let row = 0; row < count; row++) {
      at[row] = rows.rowOf.get(keys[row]!) ?? -1
      if (at[row] === -1 && !join.optional) isThere[row] = 0
    }
    const pickAt = pickerOf(at)
    for (const [name, column] of rows.columns) all.set(`${join.name}.${name}`, pickAt(column))
  }
  const left = Int32Array.from(isThere.keys()).filter((row) => isThere[row] === 1)
  return pick({ count, byName: all }, left)
}

export const keysIn = (cells: Cells, at: number): readonly Value[] => cells.map((row) => asKey(row[at]!))
