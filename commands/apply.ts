/** `apply`: releases a version, after showing what will happen. */
import { partitionsFor } from '../config/config.ts'
import { chainOf, definitionsOf } from '../config/definitions.ts'
import { applyVersion, type Applied } from '../use-cases/apply.ts'
import { actorOf } from './actor.ts'
import type { CommandBody } from './command.ts'
import { askedMode } from './modes.ts'
import { planText } from './plan-text.ts'
import { versionProgress } from './progress.ts'
import { withPorts } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  const mode = askedMode(options)
  const all = await definitionsOf(config)
  const chain = chainOf(all, set, version)
  return withPorts({ config, console }, [`apply-${set}`], async (ports) => {
    const { ended } = await applyVersion(ports, {
      chain,
      definitions: [...all.values()].flat(),
      version,
      mode,
      partitions: partitionsFor(config, chain[version]!.record),
      actor: actorOf(options),
      signal,
      report: versionProgress(console, `apply ${set}`),
      show: (plan) => console.note(planText(plan)),
      agree: () => console.confirm(`Apply ${set}@${version}?`),
      tell: (applied) => console.result(appliedText(applied), appliedJson(applied)),
    })
    return ended === 'interrupted' ? 1 : 0
  })
}

const switchedAfter = ({ switches }: Applied) => Math.max(...switches.map(({ afterSeq }) => afterSeq))

function appliedText(applied: Applied): string {
  const { plan, ended, switches } = applied
  const name = `${plan.set}@${plan.version}`
  switch (ended) {
    case 'nothing to do':
      return planText(plan)
    case 'declined':
      return 'nothing was changed'
    case 'interrupted':
      return `interrupted: ${name} is not applied yet. To finish: tidemark apply ${name}`
    case 'applied': {
      const shown = plan.mode === 'shadow' ? 'is computed in the shadow' : 'is what SQL users see'
      const last = switches.length > 1 ? ` (the last of ${switches.length} partitions)` : ''
      return `${name} ${shown}; the stream switched to it after record ${switchedAfter(applied)}${last}`
    }
  }
}

const appliedJson = (applied: Applied) =>
  applied.ended === 'applied'
    ? { ...applied.plan, applied: true, switchedAfter: switchedAfter(applied), switches: applied.switches }
    : { ...applied.plan, applied: false }
