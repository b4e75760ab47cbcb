/** Which feature set a command means when none is named. */
import type { Definitions } from '../config/definitions.ts'
import { Problem } from '../utilities/problem.ts'

/** The first set of the definitions file that the stream computes. */
export function streamedSet(definitions: Definitions): string {
  const [set] = [...definitions].find(([, chain]) => !chain.at(-1)!.batchOnly) ?? []
  if (set === undefined) throw new Problem('every feature set of the definitions is batch only', 'Add one for the stream.')
  return set
}
