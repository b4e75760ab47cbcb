/** The warehouse in memory: the embedded one's SQL in a database without a file, on one connection that every handle shares. */
import { openSqlite, type Sqlite } from '../sqlite.ts'
import { bookkeeping } from '../warehouse/ddl.ts'
import { queryParts } from '../warehouse/embedded-query.ts'
import { warehouseIn } from '../warehouse/embedded-warehouse.ts'
import { target } from '../warehouse/embedded-writes.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

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
