/** `verify`: proves that the warehouse holds exactly the rows of a version. */
import { verify } from '../versions/verify.ts'
import type { Run } from './command.ts'
import { count, table } from './console.ts'
import { withPortsToRead } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async ({ args, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  return withPortsToRead({ config, console }, async (ports) => {
    const progress = console.progress(`verify ${set}@${version}`)
    const proof = await verify(ports, { set, version, signal, report: ({ rows }) => progress(rows) }).catch((error: unknown) => {
      if (signal.aborted) return undefined
      throw error
    })
    // A proof that was cut short is none: a script must not take it for one.
    if (!proof) {
      console.result('interrupted: nothing is proved', { set, version, equal: null })
      return 1
    }
    const { notSunk, untold } = proof
    const rest = [
      notSunk > 0 ? ` (without ${count(notSunk)} that the sink has still to bring)` : '',
      untold > 0 ? ` (${count(untold)} were dropped as duplicates of records that are gone: whether rightly cannot be told)` : '',
    ].join('')
    if (proof.differences === 0) {
      console.result(`${set}@${version}: ${count(proof.rows)} rows computed again and equal${rest}`, { ...proof, equal: true })
      return 0
    }
    const first = table(['_seq', 'column', 'expected', 'found'], proof.first.map(({ seq, column, expected, found }) => [seq, column, expected, found]))
    console.result(`${set}@${version}: ${count(proof.differences)} differences in ${count(proof.rows)} rows${rest}; the first:\n${first}`, { ...proof, equal: false })
    const todo = `To have rows made again: tidemark repair ${set}`
    console.note(`tidemark: the warehouse differs from what ${set}@${version} computes: somebody changed rows or history. ${todo}`)
    return 1
  })
}
