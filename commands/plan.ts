/** `plan`: what would happen, before anything does. */
import { partitionsFor } from '../config/config.ts'
import { chainOf, definitionsOf } from '../config/definitions.ts'
import { planVersions } from '../use-cases/plan.ts'
import type { CommandBody } from './command.ts'
import { askedMode } from './modes.ts'
import { planText } from './plan-text.ts'
import { withPortsToRead } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console }) => {
  const mode = askedMode(options)
  const asked = args[0] === undefined ? undefined : setAtVersion(args[0])
  const definitions = await definitionsOf(config)
  const chains = asked ? [chainOf(definitions, asked.set, asked.version)] : definitions.values()
  return withPortsToRead({ config, console }, async (ports) => {
    const found = await planVersions(ports, {
      chains,
      version: asked?.version,
      mode,
      partitionsFor: (record) => partitionsFor(config, record),
    })
    console.result(found.plans.map(planText).join('\n'), found)
    return found.changes && options['exitCode'] === true ? 3 : 0
  })
}
