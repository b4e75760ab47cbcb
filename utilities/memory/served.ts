/** The store that services read, in memory: the SQL of the one in a file, on one connection. */
import type { Served } from '../served.ts'
import { openSqlite, type Sqlite } from '../sqlite/database.ts'
import { servedIn } from '../sqlite/served/served.ts'
import { servedTables } from '../sqlite/served/tables.ts'

export const memoryServedDatabase = (): Sqlite => openSqlite(':memory:', { tables: servedTables })

/** Closing a handle leaves the database to the others. */
export const openMemoryServed = (database: Sqlite): Served => servedIn({ ...database, close: () => {} })
