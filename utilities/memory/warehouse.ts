/** The warehouse in memory: the embedded one's SQL in a database without a file, on one connection that every handle shares. */
import { openSqlite, type Sqlite } from '../sqlite/database.ts'
import { bookkeeping } from '../sql/bookkeeping.ts'
import { queryParts } from '../sqlite/warehouse/query.ts'
import { warehouseIn } from '../sqlite/warehouse/warehouse.ts'
import { target } from '../sqlite/warehouse/tables.ts'
import type { Warehouse } from '../warehouse.ts'

export const memoryDatabase = (): Sqlite => openSqlite(':memory:', { tables: bookkeeping(target) })

/** Closing a handle leaves the database to the others; it goes with the last of them. */
export function openMemoryWarehouse(database: Sqlite): Warehouse {
  const shared: Sqlite = { ...database, close: () => {} }
  return warehouseIn(shared, { reading: () => shared, asking: (sql, signal) => parts(shared, sql, signal) })
}

async function* parts(database: Sqlite, sql: string, signal: AbortSignal | undefined) {
  signal?.throwIfAborted()
  for (const part of queryParts(database, sql)) {
    yield part
    signal?.throwIfAborted()
  }
}
