/** The body of the thread that commits: its own connection to the log's file, one commit at a time. */
import { openSqlite } from './database.ts'
import { commitTo } from './commit.ts'
import { unpackSaves } from './packed-saves.ts'
import type { Committed, PackedCommit } from './commit-beside.ts'
import { threadBody } from '../running/thread-body.ts'

threadBody((path: string) => {
  const db = openSqlite(path)
  return ({ save, ...commit }: PackedCommit): Committed => {
    try {
      return commitTo(db, { ...commit, save: unpackSaves(save) })
    } catch {
      // Nothing of it was committed. An error would lose its class on the way: whoever tries it again gets its own.
      return 'nothing'
    }
  }
})
