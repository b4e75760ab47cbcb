/** What is to become of rows: what a file has of them is compared with what stands, and the differences become of it in the end. */
import { nullColumn, type Column, type Columns } from '../../values/columns.ts'
import type { Compared, StoredTable } from '../../tables.ts'
import type { Sqlite } from '../database.ts'
import type { Value } from '../fill.ts'
import { insertColumns, quoted, selectColumns, sqlType, valuesAt, type Placed } from './columns.ts'
import { ask, asked, askedKeys } from './asked.ts'
import { commit, gone, knownAt, rowsOf, stagedOf } from './joins.ts'

/** As cells they take many times what they take in columns. */
const rowsAtOnce = 2_500

export const columnsOf = ({ fields }: StoredTable): readonly Placed[] => Object.entries(fields).map(([name, column]) => ({ name, column }))
export const keysOf = ({ key, fields }: StoredTable): readonly Placed[] => key.map((name) => ({ name, column: fields[name]! }))
export const listed = (placed: readonly Placed[], of = '') => placed.map(({ name }) => of + quoted(name)).join(', ')
const equalKeys = ({ key }: StoredTable, one: string, other: string) =>
  key.map((name) => `${one}.${quoted(name)} = ${other}.${quoted(name)}`).join(' AND ')

export const countOf = (db: Sqlite, from: string, ...args: readonly number[]): number =>
  Number(db.prepare(`SELECT count(*) AS count FROM ${from}`).get(...args)!['count'])

/** Rows and what is staged of them have the same columns, so that all that is staged can be the rows where none stood. */
export function create(db: Sqlite, table: StoredTable, name: (table: StoredTable) => string): void {
  const columns = columnsOf(table).map((one) => `${quoted(one.name)} ${sqlType(table.fields[one.name]!)}`)
  const key = table.key.map(quoted).join(', ')
  // In front of the others, where a look at all of them reads the least.
  const own = `${gone} INTEGER NOT NULL, ${commit} INTEGER, ${knownAt} INTEGER`
  db.exec(`CREATE TABLE IF NOT EXISTS ${name(table)} (${own}, ${columns.join(', ')}, PRIMARY KEY (${key})) WITHOUT ROWID`)
}

/** Without a log of its own, nor waiting for the disk: it is read again where it is lost. */
const received = ({ name }: StoredTable) => `temp.${quoted(`file ${name}`)}`

function createReceived(db: Sqlite, table: StoredTable): void {
  const columns = columnsOf(table).map(({ name }) => `${quoted(name)} ${sqlType(table.fields[name]!)}`)
  db.exec(`CREATE TABLE IF NOT EXISTS ${received(table)} (${columns.join(', ')}, ".seq" INTEGER, ".line" INTEGER)`)
}

export function receive(db: Sqlite, table: StoredTable, rows: Columns): void {
  createReceived(db, table)
  const into = `INSERT INTO ${received(table)} (${listed(columnsOf(table))}, ".seq", ".line")`
  insertColumns(db, into, rows, [...columnsOf(table), ...places])
}

const places: readonly Placed[] = [
  { name: '_seq', column: 'int' },
  { name: '_line', column: 'int' },
]

export function forgetReceived(db: Sqlite, table: StoredTable): void {
  db.exec(`DROP TABLE IF EXISTS ${received(table)}`)
}

export function compare(db: Sqlite, table: StoredTable, { partial }: { readonly partial: boolean }): Compared {
  createReceived(db, table)
  const [file, keys] = [received(table), listed(keysOf(table))]
  db.exec(`CREATE INDEX temp.${quoted(`file ${table.name} keys`)} ON ${quoted(`file ${table.name}`)} (${keys}, ".seq")`)
  const repeated = withoutRepeated(db, table)
  const all = countOf(db, file)
  const stood = countOf(db, rowsOf(table))
  const into = `INSERT INTO ${stagedOf(table)} (${listed(columnsOf(table))}, ${gone})`
  const order = `ORDER BY ${listed(keysOf(table), 'f.')}`
  if (stood === 0) db.exec(`${into} SELECT ${listed(columnsOf(table), 'f.')}, 0 FROM ${file} f ${order}`)
  else {
    const differs = columnsOf(table).map(({ name }) => `f.${quoted(name)} IS NOT r.${quoted(name)}`)
    db.exec(
      `${into} SELECT ${listed(columnsOf(table), 'f.')}, 0 FROM ${file} f LEFT JOIN ${rowsOf(table)} r ON ${equalKeys(table, 'f', 'r')} ` +
        `WHERE ${differs.join(' OR ')} ${order}`,
    )
  }
  const staged = countOf(db, stagedOf(table))
  const there = `${stagedOf(table)} s JOIN ${rowsOf(table)} r ON ${equalKeys(table, 's', 'r')}`
  const changed = stood === 0 ? 0 : countOf(db, there)
  if (stood > 0 && !partial) {
    const lacks = `NOT EXISTS (SELECT 1 FROM ${file} f WHERE ${equalKeys(table, 'f', 'r')})`
    db.exec(
      `INSERT INTO ${stagedOf(table)} (${keys}, ${gone}) SELECT ${listed(keysOf(table), 'r.')}, 1 FROM ${rowsOf(table)} r WHERE ${lacks}`,
    )
  }
  forgetReceived(db, table)
  const left = countOf(db, stagedOf(table)) - staged
  return { added: staged - changed, changed, gone: left, unchanged: all - staged, repeated }
}

/** Takes out the rows whose key an earlier one has, and keeps them aside; says how many. */
function withoutRepeated(db: Sqlite, table: StoredTable): number {
  const [file, keys] = [received(table), listed(keysOf(table))]
  db.exec('DROP TABLE IF EXISTS temp.repeated')
  const distinct = countOf(db, `(SELECT DISTINCT ${keys} FROM ${file})`)
  const more = countOf(db, file) - distinct
  if (more === 0) return 0
  const numbered = `SELECT rowid AS id, row_number() OVER (PARTITION BY ${keys} ORDER BY ".seq") AS place FROM ${file}`
  const ids = `SELECT id FROM (${numbered}) WHERE place > 1`
  db.exec(`CREATE TABLE temp.repeated AS SELECT * FROM ${file} WHERE rowid IN (${ids}) ORDER BY ".seq"`)
  db.exec(`DELETE FROM ${file} WHERE ".seq" IN (SELECT ".seq" FROM temp.repeated)`)
  return more
}

export function* repeated(db: Sqlite, table: StoredTable): Generator<Columns> {
  if (db.prepare(`SELECT 1 FROM temp.sqlite_schema WHERE name = 'repeated'`).get() === undefined) return
  const query = `SELECT ${listed(columnsOf(table))}, ".seq", ".line" FROM temp.repeated WHERE rowid > ? ORDER BY rowid LIMIT ${rowsAtOnce}`
  for (let last = 0; ; last += rowsAtOnce) {
    const rows = selectColumns(db, query, [...columnsOf(table), ...places], [last])
    if (rows.count === 0) return
    yield rows
  }
}

type Where = (table: StoredTable) => string

/** Puts rows in place of those of the same key, with these columns of ours beside them. */
function put(db: Sqlite, table: StoredTable, rows: Columns, where: Where, own: { readonly [name: string]: Column }): void {
  const placed: readonly Placed[] = [...columnsOf(table), ...Object.keys(own).map((name): Placed => ({ name, column: 'int' }))]
  const byName = new Map([...rows.byName, ...Object.entries(own)])
  insertColumns(db, `INSERT OR REPLACE INTO ${where(table)} (${listed(placed)})`, { count: rows.count, byName }, placed)
}

/** One whose commit nobody says was last written before all of them. */
export const fill = (db: Sqlite, table: StoredTable, rows: Columns): void =>
  put(db, table, rows, rowsOf, { '.gone': all(rows, 0), '.commit': rows.byName.get('_commit') ?? all(rows, 0) })

export const stage = (db: Sqlite, table: StoredTable, rows: Columns): void =>
  put(db, table, rows, stagedOf, { '.gone': all(rows, 0), '.known': rows.byName.get('_known') ?? all(rows, null) })

const all = ({ count }: Columns, value: number | null): Column => ({ kind: 'int', values: new Float64Array(count).fill(value ?? NaN) })

/** A row that does not stand cannot go: what is staged of it is taken back. */
export function stageGone(db: Sqlite, table: StoredTable, keys: Columns): void {
  ask(db, table, keys)
  const of = askedKeys(table)
  db.prepare(`DELETE FROM ${stagedOf(table)} WHERE (${listed(keysOf(table))}) IN (SELECT ${of.join(', ')} FROM ${asked} a)`).run()
  const stand = `${asked} a CROSS JOIN ${rowsOf(table)} r ON ${table.key.map((name, i) => `r.${quoted(name)} = ${of[i]!}`).join(' AND ')}`
  db.prepare(
    `INSERT OR REPLACE INTO ${stagedOf(table)} (${listed(keysOf(table))}, ${gone}, ${knownAt}) ` +
      `SELECT ${listed(keysOf(table), 'r.')}, 1, a.known FROM ${stand} ORDER BY a.n`,
  ).run()
}

export function takeOut(db: Sqlite, table: StoredTable, keys: Columns): void {
  ask(db, table, keys)
  const of = askedKeys(table).join(', ')
  db.prepare(`DELETE FROM ${rowsOf(table)} WHERE (${listed(keysOf(table))}) IN (SELECT ${of} FROM ${asked} a)`).run()
}

export function* changes(db: Sqlite, table: StoredTable, skip: number, isOnly = false): Generator<Columns> {
  const flag = { kind: 'flag' } as const
  const isThere = db.prepare(`SELECT 1 FROM ${rowsOf(table)} LIMIT 1`).get() !== undefined
  const [own, keyed] = [columnsOf(table), keysOf(table)]
  const after: readonly Placed[] = own.map(({ name, column }) => ({ name: `after.${name}`, column }))
  const stood: readonly Placed[] = isOnly ? [] : own.map(({ name, column }) => ({ name: `before.${name}`, column }))
  const before: readonly Placed[] = [{ name: 'before', column: flag }, ...stood]
  const keys = listed(keyed, 's.')
  const were = isOnly ? '' : `, ${listed(own, 'r.')}`
  const [selected, cells, from] = isThere
    ? [
        [...keyed, { name: 'after', column: flag }, ...after, ...before],
        `${keys}, NOT s.${gone}, ${listed(own, 's.')}, r.${quoted(table.key[0]!)} IS NOT NULL${were}`,
        ` LEFT JOIN ${rowsOf(table)} r ON ${equalKeys(table, 's', 'r')}`,
      ]
    : [after, listed(own, 's.'), '']
  const sql = (behind: string) => `SELECT ${cells} FROM ${stagedOf(table)} s${from} ${behind} ORDER BY ${keys} LIMIT ${rowsAtOnce}`
  const behind = `WHERE (${keys}) > (${table.key.map(() => '?').join(', ')})`
  const read = (query: string, args: readonly Value[]) => {
    const columns = selectColumns(db, query, selected, args)
    return isThere ? (isOnly ? withNulls(table, columns) : columns) : allNew(table, columns)
  }
  let columns = read(`${sql('')} OFFSET ?`, [skip])
  while (columns.count > 0) {
    yield columns
    columns = read(sql(behind), valuesAt(columns, keyed, columns.count - 1))
  }
}

/** Of which nobody asks what they were. */
function withNulls({ fields }: StoredTable, { count, byName }: Columns): Columns {
  const nulls = Object.entries(fields).map(([name, field]) => [`before.${name}`, nullColumn(field, count)] as const)
  return { count, byName: new Map<string, Column>([...byName, ...nulls]) }
}

/** Of a table that had no rows: none goes, since only one that stands can, and the keys are what they are after. */
function allNew(table: StoredTable, { count, byName }: Columns): Columns {
  const flags = (value: number): Column => ({ kind: 'flag', values: new Uint8Array(count).fill(value) })
  const keys = table.key.map((name) => [name, byName.get(`after.${name}`)!] as const)
  const all = new Map<string, Column>([...keys, ['after', flags(1)], ...byName, ['before', flags(0)]])
  return withNulls(table, { count, byName: all })
}
