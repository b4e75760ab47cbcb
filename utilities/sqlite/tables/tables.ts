/** Tables in an SQLite file: joined, compared and ordered by SQLite itself, on disk, however many rows there are. */
import type { Columns } from '../../values/columns.ts'
import type { Joined, Listed, Mark, State, StoredTable, Tables } from '../../tables.ts'
import { Problem } from '../../values/problem.ts'
import { openSqlite, type Sqlite } from '../database.ts'
import { insertColumns, quoted, selectColumns, valuesAt, type Placed } from './columns.ts'
import { gone, joinedSql, placed, referringSql, rowsOf, stagedOf, type Lies, type LookedUp } from './joins.ts'
import {
  changes,
  compare,
  countOf,
  create,
  equalKeys,
  forgetReceived,
  keysOf,
  put,
  receive,
  repeated,
  stageGone,
  takeOut,
} from './staging.ts'

const known = { known: 'CREATE TABLE known (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID' }

/** How many rows are read at once where nobody says. */
const rowsAtOnce = 10_000

/** Of `path` `:memory:` they are gone when they are closed. */
export function openSqliteTables(path: string): Tables {
  const db = openSqlite(path, { tables: known })
  // What a power cut takes is made again: its mark tells.
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192; PRAGMA temp.cache_size = -8192')
  const look = <T>(name: string): T | undefined => {
    const found = db.prepare('SELECT value FROM known WHERE name = ?').get(name)?.['value']
    return found === undefined ? undefined : (JSON.parse(found as string) as T)
  }
  const keep = (name: string, value: unknown) =>
    db.prepare('INSERT OR REPLACE INTO known (name, value) VALUES (?, ?)').run(name, JSON.stringify(value))
  const forget = (name: string) => db.prepare('DELETE FROM known WHERE name = ?').run(name)
  const shapes = () =>
    db
      .prepare(`SELECT value FROM known WHERE name LIKE 'table %' ORDER BY name`)
      .all()
      .map(({ value }) => JSON.parse(value as string) as StoredTable)
  const shapeOf = (table: string) => look<StoredTable>(`table ${table}`)!

  const make = (table: StoredTable) => {
    create(db, table, rowsOf)
    create(db, table, stagedOf)
  }
  const drop = (table: StoredTable) => db.exec(`DROP TABLE IF EXISTS ${rowsOf(table)}; DROP TABLE IF EXISTS ${stagedOf(table)}`)
  const discard = () => {
    forget('sealed')
    for (const table of shapes()) {
      forgetReceived(db, table)
      db.exec(`DELETE FROM ${stagedOf(table)}`)
    }
  }
  const renew = (wanted: readonly StoredTable[]) => {
    for (const table of shapes()) drop(table)
    db.exec('DELETE FROM known')
    for (const table of wanted) {
      keep(`table ${table.name}`, table)
      make(table)
    }
  }
  /** Looked at once for a statement: whether there are any. */
  const lies =
    (state: State) =>
    (table: StoredTable): Lies => {
      const isThere = (name: string) => db.prepare(`SELECT 1 FROM ${name} LIMIT 1`).get() !== undefined
      if (state === 'before' || !isThere(stagedOf(table))) return 'rows'
      return isThere(rowsOf(table)) ? 'both' : 'staged'
    }

  return {
    shape(given, filled) {
      const wanted = given.map(storedShape)
      db.write(() => {
        const missing = wanted.filter(({ name }) => look(`table ${name}`) === undefined)
        const isOther = wanted.some(
          (table) => !missing.includes(table) && JSON.stringify(look(`table ${table.name}`)) !== JSON.stringify(table),
        )
        if (isOther || missing.some(({ name }) => filled(name))) return renew(wanted)
        for (const table of missing) {
          keep(`table ${table.name}`, table)
          make(table)
        }
      })
    },
    mark: () => look<Mark>('mark'),
    sealed: () => look<Mark>('sealed'),
    renew: (wanted) => db.write(() => renew(wanted.map(storedShape))),
    fill: (table, rows) => db.write(() => put(db, shapeOf(table), rows, rowsOf)),
    unfill: (table, keys) => db.write(() => takeOut(db, shapeOf(table), keys)),
    count: (table) => countOf(db, rowsOf({ name: table })),
    receive: (table, rows) => db.write(() => receive(db, shapeOf(table), rows)),
    compare: (table, options) => db.write(() => compare(db, shapeOf(table), options)),
    repeated: (table) => repeated(db, shapeOf(table)),
    stage: (table, rows) => db.write(() => put(db, shapeOf(table), rows, stagedOf)),
    stageGone: (table, keys) => db.write(() => stageGone(db, shapeOf(table), keys)),
    discard: () => db.write(discard),
    staged: (table) => countOf(db, stagedOf({ name: table })),
    changes: (table, skip) => changes(db, shapeOf(table), skip),
    seal: (mark) => void db.write(() => keep('sealed', mark)),
    settle(mark) {
      db.write(() => {
        for (const table of shapes()) become(db, table)
        forget('sealed')
        keep('mark', mark)
      })
    },
    list: (joined, { all }) => db.write(() => list(db, joined, all)),
    order: (rows) => db.write(() => order(db, rows)),
    ordered: (joined) => db.write(() => ordered(db, joined)),
    orderBy: (joined, column) => db.write(() => orderBy(db, joined, column, lies('after'))),
    rows: (joined, state, listed, from, to) => listedRows(db, joined, lies(state), listed, from, to),
    standing: (joined) => standing(db, joined, lies('before')),
    close: () => db.close(),
  }
}

/** Two columns whose names differ by their case alone would be one to SQLite. */
function storedShape({ name, key, fields }: StoredTable): StoredTable {
  const names = Object.keys(fields).map((column) => column.toLowerCase())
  const twice = names.find((column, i) => names.indexOf(column) < i)
  if (twice !== undefined) throw new Problem(`table ${name} has several columns called ${twice}, by small letters or large`, 'Rename one.')
  const columns = Object.entries(fields).map(([column, { kind, digits, scale }]) => [
    column,
    { kind, ...(digits !== undefined && { digits }), ...(scale !== undefined && { scale }) },
  ])
  return { name, key, fields: Object.fromEntries(columns) }
}

/** What is staged becomes of the rows. */
function become(db: Sqlite, table: StoredTable): void {
  const [rows, staged] = [rowsOf(table), stagedOf(table)]
  if (db.prepare(`SELECT 1 FROM ${rows} LIMIT 1`).get() === undefined) {
    db.exec(`DROP TABLE ${rows}; ALTER TABLE ${staged} RENAME TO ${rows}; DELETE FROM ${rows} WHERE ${gone}`)
    create(db, table, stagedOf)
    return
  }
  db.exec(`DELETE FROM ${rows} AS r WHERE EXISTS (SELECT 1 FROM ${staged} s WHERE s.${gone} AND ${equalKeys(table, 's', 'r')})`)
  db.exec(`INSERT OR REPLACE INTO ${rows} SELECT * FROM ${staged} WHERE NOT ${gone}; DELETE FROM ${staged}`)
}

const affected = 'temp.affected'
const keysAs = (table: StoredTable) => table.key.map((_, i) => `k${i}`)
const keyColumns = (table: StoredTable, of: string) => table.key.map((name) => `${of}.${quoted(name)}`).join(', ')

function list(db: Sqlite, joined: Joined, all: boolean): number {
  const { of, join } = joined
  db.exec('DROP TABLE IF EXISTS temp.affected; DROP TABLE IF EXISTS temp.placed; DROP TABLE IF EXISTS temp.ordered')
  const names = keysAs(of).join(', ')
  db.exec(`CREATE TABLE ${affected} (n INTEGER PRIMARY KEY, ${names})`)
  const own = [`SELECT ${keyColumns(of, 's')} FROM ${stagedOf(of)} s`]
  if (all) own.push(`SELECT ${keyColumns(of, 'r')} FROM ${rowsOf(of)} r`)
  else
    for (const [name, { table }] of Object.entries(join)) {
      if (db.prepare(`SELECT 1 FROM ${stagedOf(table)} LIMIT 1`).get() === undefined) continue
      const { sql, lookedUp } = referringSql(joined, name)
      for (const one of lookedUp) ensureIndex(db, one)
      own.push(sql)
    }
  return Number(db.prepare(`INSERT INTO ${affected} (${names}) ${own.join(' UNION ')}`).run().changes)
}

function ensureIndex(db: Sqlite, { table, columns }: LookedUp): void {
  // The key's own order serves.
  if (columns.every((column, i) => table.key[i] === column)) return
  const name = quoted(`index ${table.name} ${columns.join(' ')}`)
  db.exec(`CREATE INDEX IF NOT EXISTS ${name} ON ${rowsOf(table)} (${columns.map(quoted).join(', ')})`)
}

const seq: Placed = { name: '_seq', column: 'int' }

function order(db: Sqlite, rows: Columns): void {
  db.exec(`CREATE TABLE IF NOT EXISTS temp.placed (n INTEGER, rank INTEGER, at INTEGER)`)
  const at: Placed = { name: 'at', column: { kind: rows.byName.get('at')!.kind === 'date' ? 'date' : 'timestamp' } }
  insertColumns(db, 'INSERT INTO temp.placed', rows, [seq, { name: 'rank', column: 'int' }, at])
}

function ordered(db: Sqlite, { of }: Joined): number {
  db.exec('CREATE TABLE IF NOT EXISTS temp.placed (n INTEGER, rank INTEGER, at INTEGER)')
  const names = keysAs(of)
  const keys = names.map((name) => `a.${name}`).join(', ')
  const places = `SELECT ${keys} FROM temp.placed p CROSS JOIN ${affected} a ON a.n = p.n + 1`
  return inOrder(db, names, `${places} ORDER BY p.rank, p.at, ${keys}`)
}

function orderBy(db: Sqlite, joined: Joined, column: string, lies: (table: StoredTable) => Lies): number {
  const { of } = joined
  const names = keysAs(of)
  const isListed = lies(of) === 'both'
  if (isListed) list(db, joined, true)
  const { from, where, expression } = joinedSql(joined, lies, isListed ? names.map((name) => `l.${name}`) : undefined)
  const keys = isListed ? names.map((name) => `l.${name}`).join(', ') : of.key.map(expression).join(', ')
  const by = `${expression(column)}, ${keys}`
  const rows = `${isListed ? `${affected} l ` : ''}${from}${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''}`
  return inOrder(db, names, `SELECT ${keys} FROM ${rows} ORDER BY ${by}`)
}

function inOrder(db: Sqlite, names: readonly string[], places: string): number {
  db.exec(`DROP TABLE IF EXISTS temp.ordered; CREATE TABLE temp.ordered (n INTEGER PRIMARY KEY, ${names.join(', ')})`)
  // SQLite numbers them from 1 on, as they come.
  return Number(db.prepare(`INSERT INTO temp.ordered (${names.join(', ')}) ${places}`).run().changes)
}

function listedRows(db: Sqlite, joined: Joined, lies: (table: StoredTable) => Lies, listed: Listed, from: number, to: number): Columns {
  const sql = joinedSql(
    joined,
    lies,
    keysAs(joined.of).map((name) => `l.${name}`),
  )
  const where = ['l.n > ?', 'l.n <= ?', ...sql.where].join(' AND ')
  const columns = joined.wanted.map(sql.expression)
  const query = `SELECT ${['l.n - 1', ...columns].join(', ')} FROM temp.${listed} l ${sql.from} WHERE ${where} ORDER BY l.n`
  return selectColumns(db, query, [seq, ...placed(joined, joined.wanted)], [from, to])
}

function* standing(db: Sqlite, joined: Joined, lies: (table: StoredTable) => Lies): Generator<Columns> {
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
