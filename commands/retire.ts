/** `retire`: drops a version's view, rows and state. */
import { loadState } from '../versions/keep.ts'
import { retire, stillShown, wouldDo } from '../versions/promote.ts'
import { refuseLost } from '../versions/unfinished.ts'
import { actorOf } from './actor.ts'
import type { Run } from './command.ts'
import { withPorts } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  return withPorts({ config, console }, [`apply-${set}`], async (ports) => {
    const seen = await loadState(ports, set)
    await refuseLost(ports, seen)
    const actor = actorOf(options)
    const still = await stillShown(ports, seen, version)
    const due = wouldDo(seen, { kind: 'retire', version, still, by: { ...actor, at: '' } })
    const left = due === 'nothing' && (await ports.warehouse.extent(set, version)) !== undefined
    if (due === 'nothing' && !left) return console.result(`${set}@${version} is retired already: nothing to do`, { set, version, retired: false })
    if (!(await console.confirm(`Delete all rows and the state of ${set}@${version}, and its view ${set}_v${version}?`))) return console.result('nothing was changed', { set, version, retired: false })
    await retire(ports, { set, version, actor, seen, signal, report: () => {}, announce: () => console.result(`${set}@${version} is retired`, { set, version, retired: true }) })
  })
}
