/** `apply`: releases a version, after showing what will happen. */
import { chainOf, loadDefinitions } from '../config/definitions.ts'
import { loadPosition, type Mode } from '../feature-defs/checkpoint.ts'
import { Problem } from '../utilities/problem.ts'
import { apply } from '../versions/apply.ts'
import { checkApply } from '../versions/check.ts'
import { plan } from '../versions/plan.ts'
import { actorOf } from './actor.ts'
import type { Options, Run } from './command.ts'
import { planText, planJson } from './plan-text.ts'
import { withPorts } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  const asked = askedMode(options)
  const definitions = await loadDefinitions(config.features)
  const chain = chainOf(definitions, set)

  return withPorts(config, [`apply-${set}`], async (ports) => {
    if ((await checkApply(ports, chain, version)) === 'nothing') {
      console.result(`${set}@${version} is applied already: nothing to do`, { set, version, applied: false })
      return
    }
    const mode = await modeFor(asked, await loadPosition(ports.checkpoints, set, 0), (await ports.warehouse.versions(set)).find((one) => one.version === version)?.mode as Mode | undefined, `${set}@${version}`)
    const planned = await plan(ports, { chain, version, mode })
    console.note(planText(planned))
    if (!(await console.confirm(`Apply ${set}@${version}?`))) {
      console.result('nothing was changed', { set, version, applied: false })
      return
    }
    const progress = console.progress(`apply ${set}@${version}`)
    await apply(ports, { chain, version, mode, actor: actorOf(options), signal, report: ({ rows, seq, of }) => progress(rows, { done: seq, of }) })
    if (signal.aborted) {
      console.note(`tidemark: interrupted. Run the same apply again to finish.`)
      return
    }
    const { runs, seq } = await loadPosition(ports.checkpoints, set, 0)
    const run = runs.findLast((one) => one.version === version)!
    const shown = mode === 'shadow' ? 'is computed in the shadow' : 'is what SQL users see'
    console.result(`${set}@${version} ${shown}; the stream switched to it after record ${run.switchedAfter}`, { ...planJson(planned), applied: true, switchedAfter: run.switchedAfter, position: seq })
  })
}

function askedMode(options: Options): Mode | undefined {
  const given = (['cold', 'forward-only', 'backfill', 'shadow'] as const).filter((mode) => options[mode === 'forward-only' ? 'forwardOnly' : mode] === true)
  if (given.length > 1) throw new Problem(`--${given.join(' and --')} exclude each other`, 'Choose one.', { usage: true })
  return given[0]
}

/** The first version, or an empty history, needs no mode; an apply that was cut short is finished the way it began. */
async function modeFor(asked: Mode | undefined, position: { readonly history: readonly unknown[] }, begun: Mode | undefined, name: string): Promise<Mode> {
  if (begun !== undefined) {
    if (asked !== undefined && asked !== begun && begun !== 'first') throw new Problem(`${name} was begun with --${begun} and is not finished`, `Finish it so: tidemark apply ${name} --${begun}`)
    return begun
  }
  return position.history.length === 0 ? 'first' : (asked ?? 'backfill')
}
