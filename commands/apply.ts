/** `apply`: releases a version, after showing what will happen. */
import { chainOf, loadDefinitions } from '../config/definitions.ts'
import { claimRegistry } from '../feature-defs/store.ts'
import { beginAnew } from '../sink/sink.ts'
import { Problem } from '../utilities/problem.ts'
import { apply } from '../versions/apply.ts'
import type { SetState } from '../versions/journal.ts'
import { plan } from '../versions/plan.ts'
import { actorOf } from './actor.ts'
import type { Run } from './command.ts'
import { askedMode } from './modes.ts'
import { planJson, planText } from './plan-text.ts'
import { withPorts } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async ({ args, options, config, console, signal }) => {
  const { set, version } = setAtVersion(args[0])
  const asked = askedMode(options)
  const chain = chainOf(await loadDefinitions(config.features), set, version)

  const { partitions } = config.log
  return withPorts({ config, console }, [`apply-${set}`], async (ports) => {
    const planned = await plan(ports, { chain, version, mode: asked, partitions })
    const { mode } = planned
    if (!planned.changes) return console.result(planText(planned), { ...planJson(planned), applied: false })
    console.note(planText(planned))
    if (planned.incompatible.length > 0) {
      throw new Problem(`${set}@${version} is not compatible with what is released: ${planned.incompatible.join('; ')}`, 'Nothing was changed. Keep the field as it was, and add what is new under another name.')
    }
    if (!(await console.confirm(`Apply ${set}@${version}?`))) return console.result('nothing was changed', { ...planJson(planned), applied: false })

    await claimRegistry(ports)
    await beginAnew(ports, set)
    const progress = console.progress(`apply ${set}@${version}`)
    const announce = (state: SetState) => {
      const switches = state.versions[version]!.switches.flatMap((one, partition) => (one ? [{ partition, ...one }] : []))
      const switchedAfter = Math.max(...switches.map(({ afterSeq }) => afterSeq))
      const shown = mode === 'shadow' ? 'is computed in the shadow' : 'is what SQL users see'
      console.result(`${set}@${version} ${shown}; the stream switched to it after record ${switchedAfter}${switches.length > 1 ? ` (the last of ${switches.length} partitions)` : ''}`,
        { ...planJson(planned), applied: true, switchedAfter, switches })
    }
    try {
      await apply(ports, { chain, version, mode, partitions, actor: actorOf(options), seen: planned.seen, signal, announce, report: ({ rows, seq, of }) => progress(rows, { done: seq, of }) })
    } catch (error) {
      if (!signal.aborted) throw error
      console.result(`interrupted: ${set}@${version} is not applied yet. To finish: tidemark apply ${set}@${version}`, { ...planJson(planned), applied: false })
      return 1
    }
  })
}
