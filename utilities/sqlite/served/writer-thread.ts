/** The body of the thread that writes what services read: its own connection, one write at a time. */
import { threadBody } from '../../running/thread-body.ts'
import type { ServedWork } from '../../served.ts'
import { openToWrite } from './tables.ts'
import { writeServed } from './write.ts'

threadBody((path: string) => {
  const db = openToWrite(path)
  return (work: ServedWork) => writeServed(db, work)
})
