/** Makes a directory with those above it, or says in words why it cannot be made. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Problem } from '../values/problem.ts'

export function makeDirectory(directory: string): void {
  try {
    makeWithParents(directory)
  } catch (error) {
    throw directoryTrouble(directory, error) ?? error
  }
}

/** Node's own recursive mkdir never returns where a parent exists and nothing can be made in it, as in /proc or a deleted directory. */
function makeWithParents(directory: string, parentMade = false): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return
  try {
    mkdirSync(directory)
  } catch (error) {
    const kind = (error as { readonly code?: unknown }).code
    if (kind === 'ENOENT' && !parentMade && dirname(directory) !== directory) {
      makeWithParents(dirname(directory))
      makeWithParents(directory, true)
    } else if (kind !== 'EEXIST' || !statSync(directory).isDirectory()) throw error
  }
}

function directoryTrouble(directory: string, error: unknown): Problem | undefined {
  const problem = (what: string, todo: string) => new Problem(what, todo, { cause: error })
  switch ((error as { readonly code?: unknown }).code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return problem(`the directory ${directory} cannot be made`, 'Give this user the right to write there, or choose another directory.')
    case 'ENOTDIR':
    case 'EEXIST':
      return problem(`${directory} is not a directory`, 'Move the file in its way, or choose another directory.')
    case 'ENOENT':
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return problem(`the directory ${directory} cannot be made`, 'Check the path, or choose another directory.')
    case 'ENOSPC':
    case 'EDQUOT':
      return problem(`there is no space left for ${directory}`, 'Make room on its disk and run the command again.')
  }
  return undefined
}
