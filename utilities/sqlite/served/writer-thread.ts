/** The body of the thread that writes what services read: its own connection, one write at a time. */
import { threadBody } from '../../running/thread-body.ts'
import type { ServedWork } from '../../served.ts'
import { openSqlite } from '../database.ts'
import { servedTables } from './tables.ts'
import { writeServed } from './write.ts'

threadBody((path: string) => {
  const db = openSqlite(path, { tables: servedTables })
  return (work: ServedWork) => writeServed(db, work)
})
