/** The limit of open files: how it is recognised, and what to do about it. */
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import { Problem } from '../values/problem.ts'

/** This process, or the whole system, has as many files open as it may. */
export const isOutOfFiles = (error: unknown) => ['EMFILE', 'ENFILE'].includes(String((error as { readonly code?: unknown }).code))

/** SQLite does not say why the system would not open a file: this asks the system itself. */
export function noMoreFiles(): boolean {
  try {
    closeSync(openSync(devNull, 'r'))
    return false
  } catch (error) {
    return isOutOfFiles(error)
  }
}

export const tooManyFiles = (path: string, cause: unknown) =>
  new Problem(
    `${path} cannot be opened: too many files are open`,
    'End what holds so many, or raise the limit (ulimit -n, in the shell that starts it), and run the command again.',
    { cause },
  )
