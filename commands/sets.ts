/** Which feature set, and which version of it, a command means when none is named. */
import { chainOf, type Definitions } from '../config/definitions.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { Problem } from '../utilities/values/problem.ts'
import { setAtVersion } from './words.ts'

/** The first set of the definitions file that the stream computes. */
export function streamedSet(definitions: Definitions): string {
  const [set] = [...definitions].find(([, chain]) => !chain.at(-1)!.batchOnly) ?? []
  if (set === undefined) throw new Problem('every feature set of the definitions is batch only', 'Add one for the stream.')
  return set
}

/** Of SET@N that version, of SET or nothing the newest of the definitions file; with the versions before it. */
export function definedVersion(
  definitions: Definitions,
  word: string | undefined,
): { readonly definition: Definition; readonly chain: readonly Definition[] } {
  const { set, version } = word?.includes('@') ? setAtVersion(word) : { set: word ?? streamedSet(definitions), version: undefined }
  try {
    const all = chainOf(definitions, set, version)
    const chain = version === undefined ? all : all.slice(0, version + 1)
    return { definition: chain.at(-1)!, chain }
  } catch (error) {
    throw error instanceof Problem ? new Problem(error.what, error.todo, { usage: true }) : error
  }
}
