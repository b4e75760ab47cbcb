/** Tables in an SQLite file: joined, compared and ordered by SQLite itself, on disk, however many rows there are. */
import type { Joined, Listed, Mark, State, StoredTable, Tables } from '../../tables.ts'
import { Problem } from '../../values/problem.ts'
import { openSqlite } from '../database.ts'
import { both, canRead } from './both.ts'
import { rowsOf, stagedOf, type Lies } from './joins.ts'
import { listedReader, type SmallAre } from './listed.ts'
import { isKnown, known as knownOf, list, order, orderBy, ordered } from './lists.ts'
import { changes, compare, countOf, create, fill, forgetReceived, receive, repeated, stage, stageGone, takeOut } from './staging.ts'
import { become, before, countBefore, find, isEmpty, standing } from './standing.ts'

const known = { known: 'CREATE TABLE known (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID' }

/** Which columns of ours the tables have beside those of the rows. Tables of another form are made again. */
const form = 2

/** A search for each row costs about as much as a look at four rows of a table; so many take some MB. */
const usuallySmall: SmallAre = { times: 4, most: 20_000, leastListed: 1_000 }

/** Of `path` `:memory:` they are gone when they are closed. */
export function openSqliteTables(path: string, smallAre = usuallySmall): Tables {
  const db = openSqlite(path, { tables: known })
  // What a power cut takes is made again: its mark tells.
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768; PRAGMA temp.cache_size = -8192')
  // Rows that change lie anywhere in a big table: each page of them is copied into the file once for many batches, not for each.
  db.exec('PRAGMA wal_autocheckpoint = 16000')
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
  const firstOf = (table: string) => look<number>(`first ${table}`) ?? 0
  const shapeOf = (table: string) => look<StoredTable>(`table ${table}`)!

  let isTogether = false
  const write = <T>(work: () => T): T => (isTogether ? work() : db.write(work))

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
    keep('form', form)
    for (const table of wanted) {
      keep(`table ${table.name}`, table)
      make(table)
    }
  }
  /** Looked at once for a statement: whether there are any. */
  const lies =
    (state: State) =>
    (table: StoredTable): Lies => {
      if (state === 'before' || isEmpty(db, stagedOf(table))) return 'rows'
      return isEmpty(db, rowsOf(table)) ? 'staged' : 'both'
    }
  const reader = listedReader(db, lies, smallAre)
  /** What was listed last. */
  let current: { readonly joined: Joined; readonly isKnown: () => boolean } | undefined
  const changed = <T>(work: () => T): T => {
    reader.forget(0)
    return write(work)
  }
  const listedNow = (joined: Joined, count: () => number): number => {
    const rows = db.write(count)
    reader.forget(rows)
    let known: boolean | undefined
    current = { joined, isKnown: () => (known ??= isKnown(db, joined)) }
    return rows
  }
  const knownIn = (listed: Listed, from: number, to: number): BigInt64Array =>
    current?.isKnown() ? knownOf(db, current.joined, lies('after'), listed, from, to) : new BigInt64Array(Math.max(0, to - from))

  return {
    shape(given, filled) {
      const wanted = given.map(storedShape)
      changed(() => {
        const missing = wanted.filter(({ name }) => look(`table ${name}`) === undefined)
        const isOther = wanted.some(
          (table) => !missing.includes(table) && JSON.stringify(look(`table ${table.name}`)) !== JSON.stringify(table),
        )
        if (look('form') !== form || isOther || missing.some(({ name }) => filled(name))) return renew(wanted)
        for (const table of missing) {
          keep(`table ${table.name}`, table)
          make(table)
        }
      })
    },
    mark: () => look<Mark>('mark'),
    sealed: () => look<Mark>('sealed'),
    renew: (wanted) => changed(() => renew(wanted.map(storedShape))),
    fill: (table, rows) => changed(() => fill(db, shapeOf(table), rows)),
    unfill: (table, keys) => changed(() => takeOut(db, shapeOf(table), keys)),
    count: (table) => countOf(db, rowsOf({ name: table })),
    receive: (table, rows) => db.write(() => receive(db, shapeOf(table), rows)),
    compare: (table, options) => changed(() => compare(db, shapeOf(table), options)),
    repeated: (table) => repeated(db, shapeOf(table)),
    stage: (table, rows) => changed(() => stage(db, shapeOf(table), rows)),
    stageGone: (table, keys) => changed(() => stageGone(db, shapeOf(table), keys)),
    together(work) {
      isTogether = true
      try {
        return db.write(work)
      } finally {
        isTogether = false
      }
    },
    find: (table, keys) => write(() => find(db, shapeOf(table), keys, lies('after'))),
    before: (table, number, most, behind) => before(db, shapeOf(table), { number, first: firstOf(table), most, behind }),
    countBefore: (table, number) => countBefore(db, shapeOf(table), number, firstOf(table)),
    discard: () => changed(discard),
    staged: (table) => countOf(db, stagedOf({ name: table })),
    changes: (table, skip, options) => changes(db, shapeOf(table), skip, options?.isOnly),
    seal: (mark) => void db.write(() => keep('sealed', mark)),
    settle(mark) {
      changed(() => {
        for (const table of shapes()) if (become(db, table, mark.commit)) keep(`first ${table.name}`, mark.commit)
        forget('sealed')
        keep('mark', mark)
      })
    },
    list: (joined, { all }) => listedNow(joined, () => list(db, joined, all)),
    order: (rows) => db.write(() => order(db, rows)),
    ordered: (joined) => listedNow(joined, () => ordered(db, joined)),
    orderBy: (joined, column) => listedNow(joined, () => orderBy(db, joined, column, lies('after'))),
    known: knownIn,
    rows: reader.rows,
    both(joined, listed, from, to) {
      // Of what files say nobody asks when it became known, and their lists are long.
      const atOnce = current?.isKnown() && canRead(joined) ? both(db, joined, lies('after'), listed, from, to) : undefined
      if (atOnce) return atOnce
      const [before, after] = [reader.rows(joined, 'before', listed, from, to), reader.rows(joined, 'after', listed, from, to)]
      return { before, after, known: knownIn(listed, from, to) }
    },
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
