/** `plan`: what would happen, before anything does. */
import { chainOf, loadDefinitions } from '../config/definitions.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { plan, type Plan } from '../versions/plan.ts'
import type { Run } from './command.ts'
import { askedMode } from './modes.ts'
import { planJson, planText } from './plan-text.ts'
import { withPortsToRead } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async ({ args, options, config, console }) => {
  const mode = askedMode(options)
  const asked = args[0] === undefined ? undefined : setAtVersion(args[0])
  const definitions = await loadDefinitions(config.features)
  const chain = asked && chainOf(definitions, asked.set, asked.version)
  const { partitions } = config.log
  return withPortsToRead({ config, console }, async (ports) => {
    const plans: Plan[] = []
    if (asked && chain) plans.push(await plan(ports, { chain, version: asked.version, mode, partitions }))
    else {
      // The next version of every set; for a set that is up to date, its last.
      for (const [set, chain] of definitions) {
        const version = Math.min(chain.length - 1, (await knownVersions(ports.registry, set)).length)
        plans.push(await plan(ports, { chain, version, mode, partitions }))
      }
    }
    const changes = plans.some((one) => one.changes)
    console.result(plans.map(planText).join('\n'), { changes, plans: plans.map(planJson) })
    return changes && options['exitCode'] === true ? 3 : 0
  })
}
