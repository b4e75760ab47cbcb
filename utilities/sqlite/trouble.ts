/** What errors of SQLite and of its files mean for the reader; undefined when an error is a bug of ours. */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { noMoreFiles, tooManyFiles } from '../running/open-files.ts'
import { Problem } from '../values/problem.ts'

/** How long a writer waits for the others before it gives up. */
export const busyWaitMs = 30_000

/** SQLite's primary result codes that are no bug of ours. */
const code = {
  error: 1,
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  mismatch: 20,
  denied: 23,
  notADatabase: 26,
}

const primaryCode = (error: unknown): number | undefined => {
  const { code: kind, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown }
  return kind === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined
}

const textOf = (error: unknown) => (error as Error).message.replace(/\s+/g, ' ').trim().replace(/\.$/, '')

export const isBusy = (error: unknown) => primaryCode(error) === code.busy

/** A reader of a WAL file who can make nothing beside it. */
export const mayLackMarks = (error: unknown) => [code.readOnly, code.cannotOpen].includes(primaryCode(error) ?? -1)

export const unreadableWal = (path: string, cause: unknown) =>
  new Problem(
    `${path} was left with changes beside it that this user cannot bring in`,
    'Have somebody who may write there run: tidemark status; or get the right to write to its folder.',
    { cause },
  )

export const changedMeanwhile = (path: string) => new Problem(`somebody began to write ${path} while it was read`, 'Run it again.')

export function fileTrouble(path: string, error: unknown): Problem | undefined {
  const problem = (what: string, todo: string) => new Problem(what, todo, { cause: error })
  switch (primaryCode(error)) {
    case code.busy:
    case code.locked:
    case code.protocol:
      return problem(
        `another process has kept ${path} locked for ${busyWaitMs / 1000} seconds`,
        'End that program and run the command again.',
      )
    case code.readOnly:
      return problem(
        `${path} cannot be written`,
        'Give this user the right to write the file and its directory, or choose another data directory.',
      )
    case code.io:
      if (noMoreFiles()) return tooManyFiles(path, error)
      return problem(
        `${path} could not be read or written (${textOf(error)})`,
        'Check its disk and the space left there, and run the command again.',
      )
    case code.corrupt:
      return problem(`${path} is damaged`, 'Restore it from a copy, or move it away and fill it again.')
    case code.full:
      return problem(`there is no space left for ${path}`, 'Make room on its disk and run the command again; what was committed is safe.')
    case code.cannotOpen:
      if (noMoreFiles()) return tooManyFiles(path, error)
      return problem(`${path} cannot be opened`, `Check that it is a file, and that this user may read and write it and ${dirname(path)}.`)
    case code.notADatabase:
      return problem(`${path} is not a database`, 'Move the file away, or choose another data directory.')
  }
  return undefined
}

/** What is wrong with a statement that a user wrote. */
export function queryTrouble(error: unknown): Problem | undefined {
  const problem = (what: string, todo: string) => new Problem(what, todo, { cause: error })
  switch (primaryCode(error)) {
    case code.denied:
      return problem('the query would do something other than read', 'Use one SELECT, WITH, VALUES or EXPLAIN statement.')
    case code.error:
    case code.mismatch:
      return problem(`the query failed: ${textOf(error)}`, 'Correct the SQL; SELECT name FROM sqlite_schema lists the tables and views.')
  }
  const { code: kind } = error as { readonly code?: unknown }
  return kind === 'ERR_INVALID_ARG_VALUE' ? problem('the query is empty', 'Give it a statement, such as SELECT 1.') : undefined
}

/** undefined when there is no file. */
export function stateOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw new Problem(`${path} cannot be opened`, `Check the path, and that this user may look into ${dirname(path)}.`, { cause })
  }
}
