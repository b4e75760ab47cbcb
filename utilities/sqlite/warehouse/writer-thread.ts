/** The body of the writer thread: its own connection, one write at a time. */
import { openSqlite } from '../database.ts'
import { threadBody } from '../../running/thread-body.ts'
import { writeAll, type Write } from './writes.ts'

threadBody((path: string) => {
  const db = openSqlite(path)
  return (write: Write) => writeAll(db, write)
})
