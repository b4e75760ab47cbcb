/** `rollback`: shows the version before again. */
import { loadState } from '../versions/keep.ts'
import { rollback, wouldDo } from '../versions/promote.ts'
import { refuseLost } from '../versions/unfinished.ts'
import { actorOf } from './actor.ts'
import type { Run } from './command.ts'
import { withPorts } from './stage.ts'

export const run: Run = async ({ args, options, config, console, signal }) => {
  const set = args[0]!
  return withPorts({ config, console }, [`apply-${set}`], async (ports) => {
    const seen = await loadState(ports, set)
    await refuseLost(ports, seen)
    const actor = actorOf(options)
    const due = wouldDo(seen, { kind: 'rollback', by: { ...actor, at: '' } })
    const [top, before] = [seen.chain.at(-1), seen.chain.at(-2)]
    if (due === 'decide' && !(await console.confirm(`Show ${set}@${before} again instead of ${set}@${top}?`))) return console.result('nothing was changed', { set, rolledBack: false })
    const shown = due === 'decide' ? before! : top!
    const progress = console.progress(`fill ${set}@${shown}`)
    await rollback(ports, {
      set, actor, seen, signal, report: ({ rows, seq, of }) => progress(rows, { done: seq, of }),
      announce: () => console.result(`SQL users see ${set}@${shown} again`, { set, version: shown, rolledBack: true }),
    })
  })
}
