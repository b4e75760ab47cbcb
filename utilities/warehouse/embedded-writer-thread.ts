/** The body of the writer thread: its own connection, one write at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import { Problem } from '../problem.ts'
import { openSqlite } from '../sqlite.ts'
import type { Outcome } from './embedded-writer.ts'
import { writeRows, type Write } from './embedded-writes.ts'

const db = openSqlite(workerData as string)

parentPort!.on('message', (write: Write) => parentPort!.postMessage(outcomeOf(write)))

function outcomeOf(write: Write): Outcome {
  try {
    writeRows(db, write)
    return {}
  } catch (error) {
    return error instanceof Problem ? { problem: { what: error.what, todo: error.todo } } : { bug: error }
  }
}
