/** `rollback`: shows the version before again. */
import { rollBack } from '../use-cases/promote.ts'
import { actorOf } from './actor.ts'
import type { CommandBody } from './command.ts'
import { versionProgress } from './progress.ts'
import { withPorts } from './stage.ts'

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  const set = args[0]!
  await withPorts({ config, console }, [`apply-${set}`], (ports) =>
    rollBack(ports, {
      set,
      actor: actorOf(options),
      signal,
      report: versionProgress(console, `fill ${set}`),
      agree: ({ from, to }) => console.confirm(`Show ${set}@${to} again instead of ${set}@${from}?`),
      tell: ({ ended, version }) =>
        ended === 'declined'
          ? console.result('nothing was changed', { set, rolledBack: false })
          : console.result(`SQL users see ${set}@${version} again`, { set, version, rolledBack: true }),
    }),
  )
}
