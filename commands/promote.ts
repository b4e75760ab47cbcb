/** `promote`: shows a version to SQL users. */
import { Problem } from '../utilities/problem.ts'
import { diff } from '../versions/diff.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { promotedIn } from '../versions/journal.ts'
import { loadState } from '../versions/keep.ts'
import { promote, wouldDo } from '../versions/promote.ts'
import { refuseLost } from '../versions/unfinished.ts'
import { actorOf } from './actor.ts'
import type { Context, Options, Run } from './command.ts'
import { measuredText } from './diff.ts'
import { withPorts } from './stage.ts'
import { setAtVersion } from './words.ts'

export const run: Run = async (context) => {
  const { args, options, config, console, signal } = context
  const { set, version } = setAtVersion(args[0])
  const limits = { maxChanged: percent(options, 'maxChanged'), maxNulls: percent(options, 'maxNulls') }
  return withPorts({ config, console }, [`apply-${set}`], async (ports) => {
    const seen = await loadState(ports, set)
    await refuseLost(ports, seen)
    const due = wouldDo(seen, { kind: 'promote', version, by: { ...actorOf(options), at: '' } })
    if (due === 'nothing') return console.result(`${set}@${version} is what SQL users see already: nothing to do`, { set, version, promoted: false })
    const shown = promotedIn(seen)!
    const unlimited = limits.maxChanged === undefined && limits.maxNulls === undefined
    const measured = unlimited || due === 'finish' ? undefined : await withinLimits(ports, context, { set, from: shown, to: version, ...limits })
    if (due === 'decide' && !(await console.confirm(`Show ${set}@${version} instead of ${set}@${shown}?`))) return console.result('nothing was changed', { set, version, promoted: false })
    const progress = console.progress(`fill ${set}@${version}`)
    const actor = { ...actorOf(options), ...(measured === undefined ? {} : { measured }) }
    await promote(ports, {
      set, version, actor, seen, signal, report: ({ rows, seq, of }) => progress(rows, { done: seq, of }),
      announce: () => console.result(`SQL users see ${set}@${version} now${measured ? ` (${measured})` : ''}`, { set, version, promoted: true, measured: measured ?? null }),
    })
  })
}

type Limits = { readonly set: string; readonly from: number; readonly to: number; readonly maxChanged: number | undefined; readonly maxNulls: number | undefined }

async function withinLimits(ports: VersionPorts, { signal, console }: Context, { set, from, to, maxChanged = 100, maxNulls = 100 }: Limits): Promise<string> {
  const { values, rows } = await diff(ports, { set, from, to, signal, report: console.progress('compare') })
  if (rows.both === 0) throw new Problem(`${set}@${from} and ${set}@${to} have no record in common to measure`, 'Promote without --max-changed and --max-nulls, or backfill first.')
  const over = values.filter(({ changedPercent, lostPercent }) => changedPercent > maxChanged || lostPercent > maxNulls)
  if (over.length > 0) {
    throw new Problem(`${set}@${to} differs from ${set}@${from} by more than allowed: ${measuredText(over)}`, `Look closer with: tidemark diff ${set}@${from} ${set}@${to}, or allow more.`)
  }
  return measuredText(values)
}

function percent(options: Options, name: string): number | undefined {
  const given = options[name]
  if (given === undefined) return undefined
  const value = /^\d+(\.\d+)?%?$/.test(String(given)) ? Number.parseFloat(String(given)) : NaN
  if (!(value <= 100)) throw new Problem(`${String(given)} is not a percentage`, 'Write it like 20% or 0.5%.', { usage: true })
  return value
}
