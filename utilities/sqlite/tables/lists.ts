/** Rows that are joined, listed by key where what is staged may change them, put into an order, and read by their places in it. */
import type { Columns } from '../../values/columns.ts'
import type { Joined, Listed, StoredTable } from '../../tables.ts'
import type { Sqlite } from '../database.ts'
import { emptied, keysAs } from './asked.ts'
import { insertColumns, quoted, type Placed } from './columns.ts'
import { joinedSql, knownAt, referringSql, rowsOf, stagedOf, type Lies, type LookedUp } from './joins.ts'

const affected = 'temp.affected'
const keyColumns = (table: StoredTable, of: string) => table.key.map((name) => `${of}.${quoted(name)}`).join(', ')
const listColumns = (names: readonly string[]) => `n INTEGER PRIMARY KEY, ${names.join(', ')}, known INTEGER`
/** The keys of a list, as the keys of what is joined to it. */
export const listedKeys = (table: StoredTable) => keysAs(table).map((name) => `l.${name}`)

export function list(db: Sqlite, joined: Joined, all: boolean): number {
  const { of, join } = joined
  const names = keysAs(of)
  emptied(db, 'affected', listColumns(names))
  emptied(db, 'ordered', listColumns(names))
  emptied(db, 'placed', 'n INTEGER, rank INTEGER, at INTEGER')
  const found = [`SELECT ${keyColumns(of, 's')}, s.${knownAt} FROM ${stagedOf(of)} s`]
  if (all) found.push(`SELECT ${keyColumns(of, 'r')}, NULL FROM ${rowsOf(of)} r`)
  for (const [name, { table }] of Object.entries(join)) {
    // Where every row is listed, those that refer to what is staged are looked for only if it says when it became known.
    const those = all ? ` WHERE ${knownAt} IS NOT NULL` : ''
    if (db.prepare(`SELECT 1 FROM ${stagedOf(table)}${those} LIMIT 1`).get() === undefined) continue
    const { sql, lookedUp } = referringSql(joined, name)
    for (const one of lookedUp) ensureIndex(db, one)
    found.push(sql)
  }
  const keys = names.join(', ')
  const each = `WITH found (${keys}, known) AS (${found.join(' UNION ALL ')}) SELECT ${keys}, max(known) FROM found GROUP BY ${keys}`
  return Number(db.prepare(`INSERT INTO ${affected} (${keys}, known) ${each} ORDER BY ${keys}`).run().changes)
}

function ensureIndex(db: Sqlite, { table, columns }: LookedUp): void {
  // The key's own order serves.
  if (columns.every((column, i) => table.key[i] === column)) return
  const name = quoted(`index ${table.name} ${columns.join(' ')}`)
  db.exec(`CREATE INDEX IF NOT EXISTS ${name} ON ${rowsOf(table)} (${columns.map(quoted).join(', ')})`)
}

export const seq: Placed = { name: '_seq', column: 'int' }

export function order(db: Sqlite, rows: Columns): void {
  const at: Placed = { name: 'at', column: { kind: rows.byName.get('at')!.kind === 'date' ? 'date' : 'timestamp' } }
  insertColumns(db, 'INSERT INTO temp.placed', rows, [seq, { name: 'rank', column: 'int' }, at])
}

export function ordered(db: Sqlite, { of }: Joined): number {
  const keys = keysAs(of).map((name) => `a.${name}`)
  const places = `SELECT ${[...keys, 'a.known'].join(', ')} FROM temp.placed p CROSS JOIN ${affected} a ON a.n = p.n + 1`
  return inOrder(db, of, `${places} ORDER BY p.rank, p.at, ${keys.join(', ')}`)
}

export function orderBy(db: Sqlite, joined: Joined, column: string, lies: (table: StoredTable) => Lies): number {
  const { of } = joined
  const isListed = lies(of) === 'both'
  if (isListed) list(db, joined, true)
  const { from, where, expression } = joinedSql(joined, lies, isListed ? listedKeys(of) : undefined)
  const keys = (isListed ? listedKeys(of) : of.key.map(expression)).join(', ')
  const rows = `${isListed ? `${affected} l ` : ''}${from}${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''}`
  return inOrder(db, of, `SELECT ${keys}, ${isListed ? 'l.known' : 'NULL'} FROM ${rows} ORDER BY ${expression(column)}, ${keys}`)
}

function inOrder(db: Sqlite, of: StoredTable, places: string): number {
  const names = keysAs(of)
  emptied(db, 'ordered', listColumns(names))
  // SQLite numbers them from 1 on, as they come.
  return Number(db.prepare(`INSERT INTO temp.ordered (${names.join(', ')}, known) ${places}`).run().changes)
}

/** Whether anybody said of a staged row when it became known; of what files say nobody does. */
export const isKnown = (db: Sqlite, { of, join }: Joined): boolean =>
  [of, ...Object.values(join).map(({ table }) => table)].some(
    (table) => db.prepare(`SELECT 1 FROM ${stagedOf(table)} WHERE ${knownAt} IS NOT NULL LIMIT 1`).get() !== undefined,
  )

/** Of rows that are staged, and of those that stand and refer to them now, or did; the list knows of the latter. */
export function known(
  db: Sqlite,
  joined: Joined,
  lies: (table: StoredTable) => Lies,
  listed: Listed,
  from: number,
  to: number,
): BigInt64Array {
  // Whoever leaves, or has lost what it needs, is told as well.
  const join = Object.fromEntries(Object.entries(joined.join).map(([name, one]) => [name, { ...one, optional: true }]))
  const sql = joinedSql({ ...joined, join }, lies, listedKeys(joined.of))
  const rows = `temp.${listed} l ${sql.from} WHERE l.n > ? AND l.n <= ? ORDER BY l.n`
  const statement = db.prepare(`SELECT max(coalesce(l.known, 0), ${sql.known}) FROM ${rows}`)
  // Nanoseconds are beyond what a number holds.
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  return BigInt64Array.from(statement.all(from, to) as unknown as readonly (readonly [bigint])[], ([moment]) => moment)
}
