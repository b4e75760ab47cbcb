/** The WAL beside a database file: how it is begun, and what it says of a writer that is away. */
import { accessSync, constants, type Stats } from 'node:fs'
import { busyWaitMs, changedMeanwhile, isBusy, stateOf } from './trouble.ts'

const headerBytes = 32

/** Whether there may be more than its header in the WAL beside the file. */
export const walHolds = (path: string) => (stateOf(`${path}-wal`)?.size ?? 0) > headerBytes

/** Refuses to go on with a file that somebody has written, or begun to. */
export function checkUnchanged(path: string, { mtimeMs, size }: Stats): void {
  const now = stateOf(path)
  if (!now || walHolds(path) || now.mtimeMs !== mtimeMs || now.size !== size) throw changedMeanwhile(path)
}

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

/** The change to WAL needs the file alone for a moment, and where waiting could mean a deadlock SQLite does not wait by itself. */
export function useWal(db: { exec(sql: string): void }): void {
  const giveUpAt = performance.now() + busyWaitMs
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error
      Atomics.wait(pause, 0, 0, 10)
    }
  }
}
