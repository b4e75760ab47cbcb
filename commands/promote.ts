/** `promote`: shows a version to SQL users. */
import { promoteVersion } from '../use-cases/promote.ts'
import { actorOf } from './actor.ts'
import type { Options, CommandBody } from './command.ts'
import { versionProgress } from './progress.ts'
import { withPorts } from './stage.ts'
import { setAtVersion, usage } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  const limits = { maxChanged: percent(options, 'maxChanged'), maxNulls: percent(options, 'maxNulls') }
  await withPorts({ config, console }, [`apply-${set}`], (ports) =>
    promoteVersion(ports, {
      set,
      version,
      limits,
      actor: actorOf(options),
      signal,
      compared: console.progress('compare'),
      report: versionProgress(console, `fill ${set}`),
      agree: ({ from, to }) => console.confirm(`Show ${set}@${to} instead of ${set}@${from}?`),
      tell({ ended, measured }) {
        const text = {
          'nothing to do': `${set}@${version} is what SQL users see already: nothing to do`,
          declined: 'nothing was changed',
          promoted: `SQL users see ${set}@${version} now${measured === null ? '' : ` (${measured})`}`,
        }
        console.result(text[ended], { set, version, promoted: ended === 'promoted', ...(ended === 'promoted' ? { measured } : {}) })
      },
    }),
  )
}

function percent(options: Options, name: string): number | undefined {
  const given = options[name]
  if (given === undefined) return undefined
  const value = /^\d+(\.\d+)?%?$/.test(String(given)) ? Number.parseFloat(String(given)) : NaN
  if (!(value <= 100)) throw usage(`${String(given)} is not a percentage`, 'Write it like 20% or 0.5%.')
  return value
}
