/** The body of the writer thread: its own connection, one write at a time. */
import { openSqlite } from '../sqlite.ts'
import { threadBody } from '../thread-body.ts'
import { writeRows, type Write } from './embedded-writes.ts'

threadBody((path: string) => {
  const db = openSqlite(path)
  return (write: Write) => writeRows(db, write)
})
