/** `verify`: proves that the warehouse holds exactly the rows of a version. */
import { verifyVersion } from '../use-cases/verify.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { table } from './console.ts'
import { withPortsToRead } from './stage.ts'
import { verifyFactNamed } from './verify-fact.ts'
import { setAtVersion } from './words.ts'

export const run: CommandBody = async (context) => {
  const { args, config, console, signal } = context
  const [asked] = args
  // A set is named with its version.
  if (asked !== undefined && /^[a-z][a-z0-9_]*$/.test(asked)) return verifyFactNamed(asked, context)
  const { set, version } = setAtVersion(args[0])
  const name = `${set}@${version}`
  return withPortsToRead({ config, console }, async (ports) => {
    const progress = console.progress(`verify ${name}`)
    const proof = await verifyVersion(ports, { set, version, signal, report: ({ rows }) => progress(rows) })
    // A script must not take it for one.
    if (!proof) {
      console.result('interrupted: nothing is proved', { set, version, equal: null })
      return 1
    }
    const { rows, notSunk, untold, differences, equal } = proof
    const rest = [
      notSunk > 0 ? ` (without ${count(notSunk)} that the sink has still to bring)` : '',
      untold > 0 ? ` (${count(untold)} were dropped as duplicates of records that are gone: whether rightly cannot be told)` : '',
    ].join('')
    if (equal) {
      console.result(`${name}: ${count(rows)} rows computed again and equal${rest}`, proof)
      return 0
    }
    const cells = proof.first.map(({ seq, column, expected, found }) => [seq, column, expected, found])
    const first = table(['_seq', 'column', 'expected', 'found'], cells)
    console.result(`${name}: ${count(differences)} differences in ${count(rows)} rows${rest}; the first:\n${first}`, proof)
    const todo = `To have rows made again: tidemark repair ${set}`
    console.note(`tidemark: the warehouse differs from what ${name} computes: somebody changed rows or history. ${todo}`)
    return 1
  })
}
