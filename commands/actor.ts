/** Who gives the command: the operating system's user, with the reason given. */
import { userInfo } from 'node:os'
import type { Options } from './command.ts'

export function actorOf(options: Options) {
  const why = options['why']
  return { who: userName(), why: typeof why === 'string' ? why : null }
}

/** A container may run under an id that has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
