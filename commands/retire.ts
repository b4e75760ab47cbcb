/** `retire`: drops a version's view, rows and state. */
import { checkRetire, retire } from '../versions/promote.ts'
import { actorOf } from './actor.ts'
import type { Run } from './command.ts'
import { withPorts } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  return withPorts({ config, console }, [`apply-${set}`], async (ports) => {
    if ((await checkRetire(ports, set, version)) === 'nothing') return console.result(`${set}@${version} is retired already: nothing to do`, { set, version, retired: false })
    if (!(await console.confirm(`Delete all rows and the state of ${set}@${version}, and its view ${set}_v${version}?`))) return console.result('nothing was changed', { set, version, retired: false })
    await retire(ports, { set, version, actor: actorOf(options), signal, report: () => {} })
    console.result(`${set}@${version} is retired`, { set, version, retired: true })
  })
}
