/** A folder of files that is put in place all at once: whatever goes wrong before, nothing of it is left. */
import { existsSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { Problem } from '../utilities/values/problem.ts'

export type Filled = {
  readonly files: number
  /** The file of rejected lines, as a person would write its path; null when there were none. */
  readonly rejects: string | null
}

/** Where to put the files meanwhile, and what is to stand beside the folder in the end. */
export type Unfinished = { readonly folder: string; readonly rejects: string }

/** Has a folder beside the target filled, then gives it the target's name. */
export async function filled(out: string, fill: (unfinished: Unfinished) => Promise<void>, { withRejects = false } = {}): Promise<Filled> {
  const target = free(out)
  const rejects = `${target}.rejects.csv`
  const shown = isAbsolute(out) ? rejects : relative('', rejects)
  if (withRejects && existsSync(rejects))
    throw new Problem(`${shown} is there already, with the rejected lines of an earlier run`, 'Move it away, or choose another folder.')
  const unfinished = join(dirname(target), `.${basename(target)}.${process.pid}.part`)
  const made = { folder: join(unfinished, 'rows'), rejects: join(unfinished, 'rejects.csv') }
  // Something may still be written there when a second Ctrl-C ends the process at once.
  const remove = () => rmSync(unfinished, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
  const explained = (cause: unknown) => unwritable(out, dirname(target), cause) ?? cause
  await mkdir(unfinished).catch((cause: unknown) => {
    throw explained(cause)
  })
  process.on('exit', remove)
  try {
    await mkdir(made.folder)
    await fill(made)
    const files = (await readdir(made.folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length
    const some = existsSync(made.rejects)
    // The rows last: where they are, all is.
    if (some) await rename(made.rejects, rejects)
    await rename(made.folder, target).catch(async (cause: unknown) => {
      if (some) await rm(rejects)
      throw cause
    })
    return { files, rejects: some ? shown : null }
  } catch (cause) {
    throw explained(cause)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
    process.off('exit', remove)
  }
}

/** Where it really is, after a look that nobody's files are there. */
function free(out: string): string {
  if (!existsSync(out)) return resolve(out)
  if (!statSync(out).isDirectory()) throw new Problem(`${out} is a file`, 'Name a folder that does not exist yet.')
  try {
    if (readdirSync(out).length > 0) throw new Problem(`${out} is not empty`, 'Choose another folder, or empty this one.')
  } catch (cause) {
    throw unwritable(out, dirname(out), cause) ?? cause
  }
  return realpathSync(out)
}

function unwritable(out: string, parent: string, cause: unknown): Problem | undefined {
  const problem = (what: string, todo: string) => new Problem(`cannot write ${out}: ${what}`, todo, { cause })
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      if (existsSync(parent)) return problem('nothing can be made there', 'Choose another folder.')
      return problem(`there is no folder ${parent}`, 'Make that folder first, or choose another one.')
    case 'ENOTDIR':
      return problem(`${parent} is not a folder`, 'Choose another folder.')
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return problem(`the folder ${parent} may not be written to`, 'Choose another folder, or change its permissions.')
    case 'ENOSPC':
    case 'EDQUOT':
      return problem('the disk is full', 'Make room, and run it again.')
    case 'ENOTEMPTY':
    case 'EEXIST':
      return problem('something else was put there meanwhile', 'Choose another folder.')
    case 'EBUSY':
      return problem('it is in use, or a disk is mounted there', 'Choose a folder inside it.')
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return problem('it cannot be the name of a folder', 'Choose another one.')
  }
  return undefined
}
