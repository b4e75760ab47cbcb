/** The one door to node:sqlite: opens database files, runs transactions on them, and says in words what goes wrong. */
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { constants, DatabaseSync, type StatementSync } from 'node:sqlite'
import { makeDirectory } from '../running/make-directory.ts'
import { Problem } from '../values/problem.ts'
import { busyWaitMs, fileTrouble, isBusy, mayLackMarks, queryTrouble, stateOf, unreadableWal } from './trouble.ts'
import { checkUnchanged, useWal, walHolds, walIsBegun } from './wal.ts'

type Statement = StatementSync

/**
 * Some rows of a statement's result; the first part has none: it tells the columns before any row is there. Their types are those of the
 * tables' columns that are shown as they are, undefined for what is computed.
 */
type Selected = {
  readonly columns: readonly string[]
  readonly types: readonly (string | undefined)[]
  readonly rows: readonly (readonly Value[])[]
}

/** Every integer comes as a bigint. */
type Value = string | number | bigint | null | Uint8Array

export interface Sqlite {
  readonly path: string
  /** Compiled once per text and kept. */
  prepare(sql: string): Statement
  exec(sql: string): void
  /** Runs the work in one short transaction that writes: all of it or nothing, durable when it returns. */
  write<T>(work: () => T): T
  /** Runs the work on one state of the file, whatever others write meanwhile; never waits for a writer. */
  read<T>(work: () => T): T
  /** Runs one statement that can do nothing but read, on one state of the file, and yields its rows in parts; else a Problem. */
  select(sql: string): Generator<Selected>
  close(): void
}

type OpenOptions = {
  /** Nothing is created, on disk or in the file: where there is no file yet, there are the tables, all of them empty. */
  readonly readOnly?: boolean
  /** CREATE TABLE statements by table name: run when the table is missing. */
  readonly tables?: Readonly<Record<string, string>>
}

/** Opens the file, shared with any number of other processes; makes it and its directory when they are missing. */
export function openSqlite(path: string, { readOnly = false, tables = {} }: OpenOptions = {}): Sqlite {
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw fileTrouble(path, error) ?? error
    }
  }
  if (!readOnly) makeDirectory(dirname(path))
  const { db, checkStill } = guarded(() =>
    readOnly ? openToRead(path, tables) : { db: new DatabaseSync(path, { timeout: busyWaitMs }), checkStill: () => {} },
  )
  const transaction = <T>(begin: string, work: () => T): T =>
    guarded(() => {
      db.exec(begin)
      try {
        const result = work()
        db.exec('COMMIT')
        return result
      } catch (error) {
        // A full disk has SQLite roll back by itself.
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    })
  const write = <T>(work: () => T) => transaction('BEGIN IMMEDIATE', work)

  try {
    if (!readOnly) guarded(() => setUp(db, write, tables))
  } catch (error) {
    db.close()
    throw error
  }

  const statements = new Map<string, Statement>()
  const prepare = (sql: string) => {
    const statement = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    path,
    prepare,
    exec: (sql) => guarded(() => db.exec(sql)),
    write,
    read(work) {
      const result = transaction('BEGIN', work)
      checkStill()
      return result
    },
    *select(sql) {
      try {
        for (const part of selected(db, sql)) {
          checkStill()
          yield part
        }
      } catch (error) {
        throw queryTrouble(error) ?? fileTrouble(path, error) ?? error
      }
    },
    close() {
      if (db.isOpen) db.close()
    },
  }
}

/** `checkStill` throws a Problem when what was read may be of two states of the file. */
type ToRead = { readonly db: DatabaseSync; readonly checkStill: () => void }

/**
 * Readers of a WAL file leave marks in the file of shared memory beside it. A user who can make none there reads with the marks of others,
 * while there are any. When nobody has the file open there is no WAL, or none with anything in it where its writer was killed, and the file
 * is all there is; then nobody must begin to write until it is read.
 */
function openToRead(path: string, tables: Readonly<Record<string, string>>): ToRead {
  const before = stateOf(path)
  if (Object.keys(tables).length > 0 && (before === undefined || before.size === 0)) {
    const db = new DatabaseSync(':memory:')
    for (const sql of Object.values(tables)) db.exec(sql)
    return { db, checkStill: () => {} }
  }
  const shared = () => looked(new DatabaseSync(path, { readOnly: true, timeout: busyWaitMs }))
  try {
    if (!before || !walIsBegun(path)) return { db: shared(), checkStill: () => {} }
  } catch (error) {
    if (before === undefined || !mayLackMarks(error)) throw error
    if (walHolds(path)) throw unreadableWal(path, error)
  }
  return {
    db: looked(new DatabaseSync(`${pathToFileURL(path).href}?immutable=1`, { readOnly: true })),
    checkStill: () => checkUnchanged(path, before),
  }
}

/** The file is opened only when something is read of it. */
function looked(db: DatabaseSync): DatabaseSync {
  try {
    db.prepare('SELECT 1 FROM sqlite_schema').get()
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function setUp(db: DatabaseSync, write: <T>(work: () => T) => T, tables: Readonly<Record<string, string>>): void {
  useWal(db)
  // FULL: a commit outlives a power cut. Measured, it costs nothing against NORMAL at our batch sizes.
  db.exec('PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864')
  const has = (name: string) => db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined
  if (Object.keys(tables).every(has)) return
  write(() => {
    for (const [name, sql] of Object.entries(tables)) if (!has(name)) db.exec(sql)
  })
}

const { SQLITE_OK, SQLITE_DENY, SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_RECURSIVE, SQLITE_PRAGMA } = constants
const reading = new Set([SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_RECURSIVE])
/** What a SELECT may look up with pragma_table_info() and its like: none of these changes anything, whatever its argument. */
const lookingUp =
  /^(table_info|table_xinfo|table_list|index_list|index_info|index_xinfo|foreign_key_list|database_list|function_list|collation_list)$/

function mayOnlyRead(action: number, name: string | null, called: string | null): number {
  const allowed =
    action === SQLITE_PRAGMA
      ? lookingUp.test(name ?? '')
      : reading.has(action) && !(action === SQLITE_FUNCTION && called === 'load_extension')
  return allowed ? SQLITE_OK : SQLITE_DENY
}

/** The first parts are small: who looks at the first rows does not wait for a thousand. None is much larger than so many characters. */
const [leastRows, mostRows, mostCharacters] = [16, 1_000, 1 << 20]

function* selected(db: DatabaseSync, sql: string): Generator<Selected> {
  // What the connection knows of the schema may be old, and the columns would be those of another view: the look has it read anew, and
  // kept.
  db.exec('BEGIN')
  db.prepare('SELECT 1 FROM sqlite_schema').get()
  // In force until the last row: VACUUM INTO asks for leave only when it runs, and a changed schema has a statement compiled again.
  db.setAuthorizer(mayOnlyRead)
  try {
    const statement = compiled(db, sql)
    const columns = statement.columns().map(({ name }) => name)
    const types = statement.columns().map(({ type }) => type ?? undefined)
    yield { columns, types, rows: [] }
    let rows: (readonly Value[])[] = []
    let [enough, characters] = [leastRows, 0]
    for (const row of statement.iterate() as unknown as Iterable<readonly Value[]>) {
      rows.push(row)
      for (const value of row) if (typeof value === 'string' || value instanceof Uint8Array) characters += value.length
      if (rows.length < enough && characters < mostCharacters) continue
      yield { columns, types, rows }
      rows = []
      characters = 0
      enough = Math.min(mostRows, enough * 2)
    }
    if (rows.length > 0) yield { columns, types, rows }
  } finally {
    if (db.isOpen) {
      db.setAuthorizer(null)
      if (db.isTransaction) db.exec('COMMIT')
    }
  }
}

function compiled(db: DatabaseSync, sql: string): Statement {
  const statement = db.prepare(sql)
  // SQLite compiles the first statement and leaves the rest alone in silence.
  const rest = sql.slice(statement.sourceSQL.length).replace(/--[^\n]*|\/\*[\s\S]*?\*\/|[\s;]/g, '')
  if (rest !== '') throw new Problem('the query is more than one statement', 'Run them one at a time.')
  statement.setReturnArrays(true)
  statement.setReadBigInts(true)
  return statement
}

/**
 * Locks the file for this process alone and returns the way to let go; undefined while another process holds it.
 * The system frees the lock when the process ends, however it ends: that is why the file is not in WAL mode.
 */
export function holdAlone(path: string): (() => void) | undefined {
  makeDirectory(dirname(path))
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 0 })
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db?.close()
    if (isBusy(error)) return undefined
    throw fileTrouble(path, error) ?? error
  }
  const held = db
  return () => {
    if (held.isOpen) held.close()
  }
}
