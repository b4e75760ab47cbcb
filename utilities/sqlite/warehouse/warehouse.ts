/** The embedded warehouse: one SQLite file that any process may read while it is written. */
import { statSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { transferableBuffers } from '../../values/columns.ts'
import { Problem } from '../../values/problem.ts'
import { openSqlite, type Sqlite } from '../database.ts'
import type { Thread } from '../../running/thread.ts'
import { bookkeeping, changes, checkColumns, ownsView, rowsTable, type TablesThere } from '../../sql/ddl.ts'
import { exactPrefix } from '../../sql/declared.ts'
import { readChunk } from './rows.ts'
import { queryParts } from './query.ts'
import { partsFromProcess } from './query-process.ts'
import { writerThread } from './writer.ts'
import { columnsOf, target, writeRows, type Write } from './writes.ts'
import type { VersionRecord, Warehouse } from '../../warehouse.ts'

/** Smaller writes are not worth a thread; once there is one, it does them all, in order. */
const leastRowsForThread = 2_000
const rowsPerRemoval = 50_000

export type EmbeddedOptions = {
  readonly readOnly?: boolean
  /** Without any data it cannot be opened, rather than being empty. */
  readonly notEmpty?: boolean
}

export function openEmbeddedWarehouse(path: string, { readOnly = false, notEmpty = false }: EmbeddedOptions = {}): Warehouse {
  if (notEmpty && !statSync(path, { throwIfNoEntry: false })?.size) throw nothingYet(path)
  const db = openSqlite(path, { readOnly, tables: bookkeeping(target) })
  if (notEmpty && columnsOf(db, 'tidemark_versions').length === 0) {
    db.close()
    throw nothingYet(path)
  }
  return warehouseIn(db, {
    reading: () => openSqlite(path, { readOnly: true }),
    writing: () => writerThread(path),
    asking: (sql, signal) => partsFromProcess(path, sql, signal),
  })
}

/** What an open database does not do by itself; each is made when it is needed. */
export type Beside = {
  /** A connection for what users ask. */
  readonly reading: () => Sqlite
  /** Whoever runs a statement that may take long, and can be stopped. */
  readonly asking: Warehouse['queryParts']
  /** A thread for large writes. */
  readonly writing?: () => Thread<Write>
}

export function warehouseIn(db: Sqlite, { reading, writing, asking }: Beside): Warehouse {
  let querying: Sqlite | undefined
  let thread: Thread<Write> | undefined

  return {
    async plan(layout) {
      const { statements, views } = db.read(() => changes(target, layout, found(db, layout.set)))
      return { statements, views }
    },

    async arrange(layout, records) {
      db.write(() => {
        for (const statement of changes(target, layout, found(db, layout.set)).statements) db.exec(statement)
        putRecords(db, records)
      })
    },

    async versions(set) {
      const all = 'SELECT * FROM tidemark_versions WHERE feature_set = ifnull(?, feature_set) ORDER BY feature_set, version'
      return db.read(() => db.prepare(all).all(set ?? null)).map((row) => recordFrom(row as VersionRow))
    },

    async write(set, rows, progress) {
      if (!writing || (rows.count < leastRowsForThread && !thread)) {
        writeRows(db, { set, rows, progress })
        // All of this is synchronous: a caller that writes in a loop would never let a timer or a signal in.
        return nextTurn()
      }
      thread ??= writing()
      await thread.run({ set, rows, progress }, transferableBuffers(rows))
    },

    async progress(reader) {
      return db.read(
        () => db.prepare('SELECT next_offset FROM tidemark_progress WHERE reader = ?').get(reader)?.['next_offset'] as number | undefined,
      )
    },

    async *rows(set, version, { first, last }, names) {
      const stored = db.read(() => columnsOf(db, `${set}_rows`))
      if (stored.length === 0) return
      if (names) checkColumns(set, stored, names)
      const columns = names
        ? names.map((name) => stored.find((column) => column.name === name)!)
        : stored.filter(({ name }) => !name.startsWith(exactPrefix))
      // A look-up by key for each chunk: a transaction kept open would hold back the clean-up of the file as long as the caller takes.
      let chunk = readChunk(db, rowsTable(target, set), stored, columns, version, first, last)
      while (chunk) {
        yield chunk.rows
        await nextTurn()
        chunk = readChunk(db, rowsTable(target, set), stored, columns, version, chunk.next, last)
      }
    },

    async extent(set, version) {
      return db.read(() => {
        if (columnsOf(db, `${set}_rows`).length === 0) return undefined
        const sql =
          `SELECT count(*) AS "rows", min("_seq") AS "first", max("_seq") AS "last" FROM ${rowsTable(target, set)} WHERE "_version" ` +
          '= ?'
        const { rows, first, last } = db.prepare(sql).get(version) as { rows: number; first: number; last: number }
        return rows === 0 ? undefined : { rows, first, last }
      })
    },

    async remove(set, version, range) {
      if (db.read(() => columnsOf(db, `${set}_rows`)).length === 0) return
      while (db.write(() => removeSome(db, rowsTable(target, set), version, range))) await nextTurn()
    },

    async dependents(set) {
      const all = db.read(() => viewsOf(db))
      const own = all.filter(({ name }) => ownsView(set, name)).map(({ name }) => name)
      const others = all.filter(({ name }) => !ownsView(set, name))
      return others.flatMap(({ name, sql }) => {
        const uses = own.filter((view) => new RegExp(`\\b${view}\\b`, 'i').test(sql))
        return uses.length > 0 ? [{ view: name, uses }] : []
      })
    },

    async bytes() {
      return db.read(
        () => Object.values(db.prepare('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size').get()!)[0] as number,
      )
    },

    async query(sql) {
      // A connection of its own that cannot write, whatever the statement.
      querying ??= reading()
      const parts = [...queryParts(querying, sql)]
      return { columns: parts[0]!.columns, rows: parts.flatMap(({ rows }) => rows) }
    },

    queryParts: asking,

    async close() {
      await thread?.close()
      querying?.close()
      db.close()
    },
  }
}

const nothingYet = (path: string) =>
  new Problem(
    `nothing has been written to the warehouse yet (${path})`,
    'Run: tidemark demo, or tidemark apply and then tidemark up or tidemark backfill.',
  )

const viewsOf = (db: Sqlite) =>
  db.prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY name`).all() as { name: string; sql: string }[]

function found(db: Sqlite, set: string): TablesThere {
  const views = viewsOf(db)
  return {
    columns: new Map(columnsOf(db, `${set}_rows`).map(({ name, type }) => [name, type])),
    views: new Map(views.filter(({ name }) => ownsView(set, name)).map(({ name, sql }) => [name, sql])),
  }
}

function removeSome(
  db: Sqlite,
  table: string,
  version: number,
  { first, last }: { readonly first: number; readonly last: number },
): boolean {
  const range = `"_version" = ? AND "_seq" BETWEEN ? AND ?`
  const find = db.prepare(`SELECT "_seq" FROM ${table} WHERE ${range} ORDER BY "_seq" LIMIT 1 OFFSET ${rowsPerRemoval - 1}`)
  const bound = find.get(version, first, last)?.['_seq'] as number | undefined
  db.prepare(`DELETE FROM ${table} WHERE ${range}`).run(version, first, bound ?? last)
  return bound !== undefined
}

type VersionRow = {
  readonly feature_set: string
  readonly version: number
  readonly state: VersionRecord['state']
  readonly mode: string
  readonly schema_version_id: string
  readonly definition: string
  readonly switches: string
  readonly promotion: number | null
  readonly acts: string
}

const recordFrom = (row: VersionRow): VersionRecord => ({
  set: row.feature_set,
  version: row.version,
  state: row.state,
  mode: row.mode,
  schemaId: row.schema_version_id,
  definition: row.definition,
  switches: JSON.parse(row.switches) as VersionRecord['switches'],
  promotion: row.promotion,
  acts: JSON.parse(row.acts) as VersionRecord['acts'],
})

function putRecords(db: Sqlite, records: readonly VersionRecord[]): void {
  const put = db.prepare(`INSERT OR REPLACE INTO tidemark_versions
    (feature_set, version, state, mode, schema_version_id, definition, switches, promotion, acts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  for (const { set, version, state, mode, schemaId, definition, switches, promotion, acts } of records) {
    put.run(set, version, state, mode, schemaId, definition, JSON.stringify(switches), promotion, JSON.stringify(acts))
  }
}
