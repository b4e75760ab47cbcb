/** The embedded warehouse: one SQLite file that any process may read while it is written. */
import { statSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { transferableBuffers, type Columns } from '../../values/columns.ts'
import { Problem } from '../../values/problem.ts'
import { openSqlite, type Sqlite } from '../database.ts'
import type { Thread } from '../../running/thread.ts'
import { bookkeeping } from '../../sql/bookkeeping.ts'
import { changes, checkColumns, type TablesThere } from '../../sql/ddl.ts'
import { asOfText } from '../../sql/as-of.ts'
import { factsOf, identifier, newestName, ownsView, rowsTable, standingName } from '../../sql/names.ts'
import { latestView } from '../../sql/views.ts'
import { readFacts } from './facts.ts'
import { fillNewest, leaveRange, newestRows, renewNewest } from './newest.ts'
import { queryParts } from './query.ts'
import { partsFromProcess } from './query-process.ts'
import { readChunk, written } from './read.ts'
import { putRecords, recordFrom, type VersionRow } from './records.ts'
import { columnsOf, target } from './tables.ts'
import { writerThread } from './writer.ts'
import { forgetFacts, writeAll, type Write } from './writes.ts'
import type { Layout, Warehouse } from '../../warehouse.ts'

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

  const write = async (work: Write, parts: readonly Columns[]): Promise<void> => {
    if (!writing || (parts.every(({ count }) => count < leastRowsForThread) && !thread)) {
      writeAll(db, work)
      // All of this is synchronous: a caller that writes in a loop would never let a timer or a signal in.
      return nextTurn()
    }
    thread ??= writing()
    await thread.run(work, parts.flatMap(transferableBuffers))
  }

  return {
    async plan(layout) {
      const { statements, views } = db.read(() => changes(target, layout, found(db, layout)))
      return { statements, views }
    },

    async arrange(layout, records) {
      await fillBefore(db, layout)
      db.write(() => {
        for (const statement of changes(target, layout, found(db, layout)).statements) db.exec(statement)
        putRecords(db, records)
      })
    },

    async versions(set) {
      const all = 'SELECT * FROM tidemark_versions WHERE feature_set = ifnull(?, feature_set) ORDER BY feature_set, version'
      return db.read(() => db.prepare(all).all(set ?? null)).map((row) => recordFrom(row as VersionRow))
    },

    write: (set, rows, progress) => write({ lots: [{ set, rows }], progress }, [rows]),

    writeTogether: (lots, progress) =>
      write(
        { lots, progress },
        lots.map(({ rows }) => rows),
      ),

    writeFacts: (fact, changes, progress) => write({ lots: [], facts: { fact, changes }, progress }, changes),

    async forgetFacts(fact, places) {
      db.write(() => forgetFacts(db, fact, places))
    },

    facts: (fact) => readFacts(db, fact),

    async progress(reader) {
      return db.read(
        () => db.prepare('SELECT next_offset FROM tidemark_progress WHERE reader = ?').get(reader)?.['next_offset'] as number | undefined,
      )
    },

    async *rows(set, version, { first, last }, names) {
      const stored = db.read(() => columnsOf(db, `${set}_rows`))
      if (stored.length === 0) return
      if (names) checkColumns(set, stored, names)
      const wanted = names ? names.map((name) => stored.find((column) => column.name === name)!) : written(stored)
      const read = { table: rowsTable(target, set), stored, wanted }
      // A look-up by key for each chunk: a transaction kept open would hold back the clean-up of the file as long as the caller takes.
      let chunk = readChunk(db, read, version, first, last)
      while (chunk) {
        yield chunk.rows
        await nextTurn()
        chunk = readChunk(db, read, version, chunk.next, last)
      }
    },

    newest: (set, version, { after }) => newestRows(db, set, version, after),

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
      await leaveRange(db, set, version, range)
      while (db.write(() => removeSome(db, rowsTable(target, set), version, range))) await nextTurn()
    },

    renew: (set) => renewNewest(db, set),

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

    asOfStatement: (asked, labels) => asOfText(target, identifier(labels), asked),

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

function found(db: Sqlite, layout: Layout): TablesThere {
  const { set } = layout
  const facts = factsOf(layout)
  const typesOf = (table: string) => new Map(columnsOf(db, table).map(({ name, type }) => [name, type]))
  const views = viewsOf(db).filter(({ name }) => ownsView(set, name) || facts.includes(name))
  return {
    columns: typesOf(`${set}_rows`),
    newest: columnsOf(db, newestName(set)).length > 0,
    standing: (fact) => typesOf(standingName(fact)),
    views: new Map(views.map(({ name, sql }) => [name, sql])),
  }
}

/**
 * Rows of before have no place yet among the newest of their keys. Looking at them takes long, and nobody waits for it: the views that show
 * them are made afterwards.
 */
async function fillBefore(db: Sqlite, layout: Layout): Promise<void> {
  const { set, versions } = layout
  const { columns, views } = db.read(() => found(db, layout))
  const lacking = versions.filter(({ version }) => !views.has(latestView(set, version)))
  if (columns.size === 0 || lacking.length === 0) return
  db.write(() => {
    const isTable = (statement: string) => /^(CREATE TABLE|CREATE INDEX|ALTER TABLE)/.test(statement)
    for (const statement of changes(target, layout, found(db, layout)).statements.filter(isTable)) db.exec(statement)
  })
  for (const { version } of lacking) await fillNewest(db, set, version)
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
