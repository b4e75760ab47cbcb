/** How what services read lies in SQLite: a table of entries for each name, found by its number, and the notes. */
import { openSqlite, type Sqlite } from '../database.ts'

export const servedTables = {
  names: 'CREATE TABLE names (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID',
  notes: 'CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID',
  turns: 'CREATE TABLE turns (one INTEGER PRIMARY KEY CHECK (one = 1), turn INTEGER NOT NULL)',
}

/** Measured: a connection's own cache is empty after every commit of another one, and a page of the file itself is not copied. */
const mappedBytes = 1 << 30

export function openToRead(path: string): Sqlite {
  const db = openSqlite(path, { tables: servedTables })
  db.exec(`PRAGMA mmap_size = ${mappedBytes}; PRAGMA cache_size = -65536`)
  return db
}

/** What a power cut takes is read again from the log, so that no commit need wait for the disk. */
export function openToWrite(path: string): Sqlite {
  const db = openSqlite(path, { tables: servedTables })
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536')
  return db
}

export const entriesTable = (number: number): string => `entries_${number}`

/** undefined where nothing was ever put. */
export const numberOf = (db: Sqlite, name: string): number | undefined =>
  db.prepare('SELECT number FROM names WHERE name = ?').get(name)?.['number'] as number | undefined

/** `kept` is the values as a JSON array; null of an entry that has left. */
export function makeTable(db: Sqlite, name: string): number {
  const next = db.prepare('SELECT ifnull(max(number), 0) + 1 AS number FROM names').get()!['number'] as number
  db.exec(
    `CREATE TABLE ${entriesTable(next)} (key TEXT PRIMARY KEY, seq INTEGER NOT NULL, known INTEGER NOT NULL, kept TEXT) WITHOUT ROWID`,
  )
  db.prepare('INSERT INTO names (name, number) VALUES (?, ?)').run(name, next)
  return next
}

export function dropTable(db: Sqlite, name: string): void {
  const number = numberOf(db, name)
  if (number === undefined) return
  db.exec(`DROP TABLE ${entriesTable(number)}`)
  db.prepare('DELETE FROM names WHERE name = ?').run(name)
}
