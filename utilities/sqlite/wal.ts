/** What lies beside a database file whose writer is away. */
import { accessSync, constants } from 'node:fs'
import { stateOf } from './trouble.ts'

const headerBytes = 32

/** Whether there may be more than its header in the WAL beside the file. */
export const walHolds = (path: string) => (stateOf(`${path}-wal`)?.size ?? 0) > headerBytes

/** A WAL that its writer made and put nothing in: SQLite would wait ten seconds for who could make marks, and say that it is locked. */
export const walIsBegun = (path: string) => stateOf(`${path}-wal`) !== undefined && !walHolds(path) && !mayWrite(`${path}-shm`)

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
