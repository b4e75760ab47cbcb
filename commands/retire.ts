/** `retire`: drops a version's view, rows and state. */
import { retireVersion } from '../use-cases/promote.ts'
import { actorOf } from './actor.ts'
import type { CommandBody } from './command.ts'
import { withPorts } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  const name = `${set}@${version}`
  const text = {
    'nothing to do': `${name} is retired already: nothing to do`,
    declined: 'nothing was changed',
    retired: `${name} is retired`,
  }
  await withPorts({ config, console }, [`apply-${set}`], (ports) =>
    retireVersion(ports, {
      set,
      version,
      actor: actorOf(options),
      signal,
      agree: () => console.confirm(`Delete all rows and the state of ${name}, and its view ${set}_v${version}?`),
      tell: ({ ended }) => console.result(text[ended], { set, version, retired: ended === 'retired' }),
    }),
  )
}
