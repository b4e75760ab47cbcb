/** `promote`, `rollback`, `retire`: what SQL users see of a set is changed once whoever asked agrees. */
import { count, short } from '../utilities/values/digits.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { diff } from '../versions/diff.ts'
import type { ValueDiff } from '../versions/value-diff.ts'
import { promotedIn } from '../versions/journal.ts'
import { loadState } from '../versions/keep.ts'
import { promote, retire, rollback, stillShown, wouldDo, type Actor } from '../versions/promote.ts'
import { refuseLost } from '../versions/unfinished.ts'
import { beginning, telling, type Asking } from './asking.ts'

/** What became of a version: of the one promoted or retired, or of the one that is shown after a rollback, or still. */
type Changed<Done extends string> = {
  readonly set: string
  readonly version: number
  readonly ended: 'nothing to do' | 'declined' | Done
}

/** What SQL users see, and are to see. */
type Exchange = { readonly from: number; readonly to: number }

/** With how it differs from the version before, where that was limited. */
export type Promoted = Changed<'promoted'> & { readonly measured: string | null }

/** In percent of a feature's rows. */
type Limits = { readonly maxChanged: number | undefined; readonly maxNulls: number | undefined }

type Order = { readonly set: string; readonly actor: Actor }

type PromoteAsked = Asking<Exchange, Promoted> &
  Order & {
    readonly version: number
    readonly limits: Limits
    /** So many more rows are compared. */
    readonly compared: (rows: number) => void
  }

export async function promoteVersion(ports: VersionPorts, asked: PromoteAsked): Promise<Promoted> {
  const { set, version, limits, actor, agree, tell, signal, report } = asked
  const seen = await stateToChange(ports, set)
  const told = telling(tell)
  const unchanged = { set, version, measured: null }
  const due = wouldDo(seen, { kind: 'promote', version, by: { ...actor, at: '' } })
  if (due === 'nothing') return told({ ...unchanged, ended: 'nothing to do' })
  const exchange = { from: promotedIn(seen)!, to: version }
  const unlimited = limits.maxChanged === undefined && limits.maxNulls === undefined
  const measured = unlimited || due === 'finish' ? null : await withinLimits(ports, asked, exchange)
  if (due === 'decide' && !(await agree(exchange))) return told({ ...unchanged, ended: 'declined' })
  report({ ...beginning, version })
  const promoted: Promoted = { set, version, ended: 'promoted', measured }
  await promote(ports, {
    set,
    version,
    actor: measured === null ? actor : { ...actor, measured },
    seen,
    signal,
    report: (news) => report({ ...news, version }),
    announce: () => tell(promoted),
  })
  return promoted
}

export type RolledBack = Changed<'rolled back'>

export async function rollBack(ports: VersionPorts, asked: Asking<Exchange, RolledBack> & Order): Promise<RolledBack> {
  const { set, actor, agree, tell, signal, report } = asked
  const seen = await stateToChange(ports, set)
  const due = wouldDo(seen, { kind: 'rollback', by: { ...actor, at: '' } })
  const [top, before] = [seen.chain.at(-1)!, seen.chain.at(-2)!]
  if (due === 'decide' && !(await agree({ from: top, to: before }))) return telling(tell)({ set, version: top, ended: 'declined' })
  // One that was cut short has taken the version off already.
  const version = due === 'decide' ? before : top
  report({ ...beginning, version })
  const rolledBack: RolledBack = { set, version, ended: 'rolled back' }
  await rollback(ports, { set, actor, seen, signal, report: (news) => report({ ...news, version }), announce: () => tell(rolledBack) })
  return rolledBack
}

export type Retired = Changed<'retired'>
type RetireAsked = Omit<Asking<void, Retired>, 'report'> & Order & { readonly version: number }

export async function retireVersion(ports: VersionPorts, asked: RetireAsked): Promise<Retired> {
  const { set, version, actor, agree, tell, signal } = asked
  const seen = await stateToChange(ports, set)
  const told = telling(tell)
  const still = await stillShown(ports, seen, version)
  const due = wouldDo(seen, { kind: 'retire', version, still, by: { ...actor, at: '' } })
  const left = due === 'nothing' && (await ports.warehouse.extent(set, version)) !== undefined
  if (due === 'nothing' && !left) return told({ set, version, ended: 'nothing to do' })
  if (!(await agree())) return told({ set, version, ended: 'declined' })
  const retired: Retired = { set, version, ended: 'retired' }
  await retire(ports, { set, version, actor, seen, signal, report: () => {}, announce: () => tell(retired) })
  return retired
}

async function stateToChange(ports: VersionPorts, set: string) {
  const state = await loadState(ports, set)
  await refuseLost(ports, state)
  return state
}

async function withinLimits(ports: VersionPorts, { set, limits, compared, signal }: PromoteAsked, { from, to }: Exchange): Promise<string> {
  const { maxChanged = 100, maxNulls = 100 } = limits
  const { values, rows } = await diff(ports, { set, from, to, signal, report: compared })
  if (rows.both === 0) {
    throw new Problem(
      `${set}@${from} and ${set}@${to} have no record in common to measure`,
      'Promote without --max-changed and --max-nulls, or backfill first.',
    )
  }
  const over = values.filter(({ changedPercent, lostPercent }) => changedPercent > maxChanged || lostPercent > maxNulls)
  if (over.length > 0) {
    throw new Problem(
      `${set}@${to} differs from ${set}@${from} by more than allowed: ${measuredText(over)}`,
      `Look closer with: tidemark diff ${set}@${from} ${set}@${to}, or allow more.`,
    )
  }
  return measuredText(values)
}

/** For the record. */
const measuredText = (values: readonly ValueDiff[]): string =>
  values
    .map(({ feature, rows, changedPercent, lostPercent, max }) => {
      const changed = `${changedPercent.toFixed(2)} % of ${count(rows)} rows changed`
      const most = max === null ? '' : `, at most by ${short(max)}`
      return `${feature}: ${changed}, ${lostPercent.toFixed(2)} % lost their value${most}`
    })
    .join('; ')
