/** `rollback`: shows the version before again. */
import { checkRollback, rollback } from '../versions/promote.ts'
import { actorOf } from './actor.ts'
import type { Run } from './command.ts'
import { withPorts } from './stage.ts'

export const run: Run = async ({ args, options, config, console, signal }) => {
  const set = args[0]!
  return withPorts({ config, console }, [`apply-${set}`], async (ports) => {
    const { top, before } = await checkRollback(ports, set)
    if (before && !(await console.confirm(`Show ${set}@${before.version} again instead of ${set}@${top.version}?`))) return console.result('nothing was changed', { set, rolledBack: false })
    const progress = console.progress(`fill ${set}@${before?.version ?? top.version}`)
    const version = await rollback(ports, { set, actor: actorOf(options), signal, report: ({ rows, seq, of }) => progress(rows, { done: seq, of }) })
    console.result(`SQL users see ${set}@${version} again`, { set, version, rolledBack: true })
  })
}
