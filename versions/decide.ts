/**
 * What may happen to the versions of a set, decided from what is so: the events that follow from a command, or why not and what to do.
 * Pure.
 */
import type { Mode } from '../streams/position.ts'
import { Problem } from '../utilities/values/problem.ts'
import {
  hasRowsOfHistory,
  isComplete,
  isComputed,
  promotedIn,
  stateOf,
  type By,
  type Schema,
  type SetState,
  type Version,
  type VersionEvent,
} from './journal.ts'

export type Command =
  | {
      readonly kind: 'apply'
      readonly version: number
      readonly mode: Mode
      readonly partitions: number
      readonly schema: Schema
      readonly record: Schema
      readonly by: By
    }
  /** Its rows are there for all history, and the stream computes it. */
  | { readonly kind: 'complete'; readonly version: number; readonly by: By }
  | { readonly kind: 'promote'; readonly version: number; readonly by: By }
  | { readonly kind: 'rollback'; readonly by: By }
  | { readonly kind: 'retire'; readonly version: number; readonly still: StillShown; readonly by: By }
  | { readonly kind: 'settle'; readonly at: string }

/** What SQL users see of a version, or will once the sink has written what is on its way. */
export type StillShown = {
  readonly shown: { readonly rows: number; readonly first: number; readonly last: number } | null
  readonly onTheWay: number
}

/** Whether the command finishes what was decided before and has not come to its end. */
export function finishes({ begun }: SetState, command: Command): boolean {
  if (begun === null) return false
  switch (command.kind) {
    case 'apply':
    case 'complete':
      return true
    case 'promote':
      return begun.kind === 'promoted' || begun.kind === 'rolled back'
    case 'rollback':
      return begun.kind === 'rolled back'
    case 'retire':
      return begun.kind === 'retired' && begun.version === command.version
    case 'settle':
      return true
  }
}

/** No event means that all of it is decided already: done, or to be finished. */
export function decide(state: SetState, command: Command): readonly VersionEvent[] | Problem {
  switch (command.kind) {
    case 'apply':
      return decideApply(state, command)
    case 'complete':
      return decideComplete(state, command)
    case 'promote':
      return decidePromote(state, command)
    case 'rollback':
      return decideRollback(state, command)
    case 'retire':
      return decideRetire(state, command)
    case 'settle':
      return state.begun ? [{ kind: 'settled', at: command.at }] : []
  }
}

type Only<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>

/** Whether the version, once released, may be applied now; undefined when it may. */
export function outOfOrder({ set, versions }: SetState, version: number): Problem | undefined {
  if (version > versions.length) {
    return new Problem(
      `${set}@${versions.length} is not applied yet, and versions come in order`,
      `Run first: tidemark apply ${set}@${versions.length}`,
    )
  }
  const previous = versions[version - 1]
  if (version === versions.length && previous && !previous.retired && !isComplete(previous)) {
    return new Problem(
      `${set}@${version - 1} is not finished`,
      `Finish it first: tidemark apply ${set}@${version - 1}. Where its history is not to be had any more: ` +
        `tidemark retire ${set}@${version - 1}`,
    )
  }
  const own = versions[version]
  if (own?.retired) return retired(set, version)
  if (own && version < versions.length - 1) {
    return new Problem(
      `${set}@${version} was applied before, and ${set}@${versions.length - 1} after it`,
      `To show it again: tidemark promote ${set}@${version}, or step back with: tidemark rollback ${set}`,
    )
  }
  return undefined
}

const retired = (set: string, version: number) =>
  new Problem(`${set}@${version} is retired: its rows are gone`, 'Apply its definition again as the next version.')

const notApplied = (set: string, version: number, todo: string) => new Problem(`${set}@${version} is not applied`, todo)

function decideApply(state: SetState, { version, mode, partitions, schema, record, by }: Only<'apply'>): readonly VersionEvent[] | Problem {
  const { set } = state
  const refused = outOfOrder(state, version)
  if (refused) return refused
  const own = state.versions[version]
  if (own && isComplete(own)) return []
  const runs = own?.switches.some((one) => one !== undefined) ?? false
  const given = own && stateOf(state, own)
  if (own?.mode === mode && given !== 'registered') return []
  if (own?.mode === mode && runs) return [{ kind: 'promoted', version, ...by }]
  if (own && (runs || given === 'promoted')) {
    return new Problem(
      `${set}@${version} was begun with --${own.mode} and is not finished`,
      `Finish it so: tidemark apply ${set}@${version} --${own.mode}, or give it up: tidemark ` +
        `${given === 'promoted' ? `rollback ${set}` : `retire ${set}@${version}`}`,
    )
  }
  const planned: VersionEvent = { kind: 'planned', version, mode, partitions, schema, record, ...by }
  // Without rows for history it is shown before it is computed: until it has rows, the view falls back to the version before.
  return hasRowsOfHistory({ mode }) ? [planned] : [planned, { kind: 'promoted', version, ...by }]
}

function decideComplete({ set, versions }: SetState, { version, by }: Only<'complete'>): readonly VersionEvent[] | Problem {
  const own = versions[version]!
  if (own.filled || !hasRowsOfHistory(own)) return []
  if (!isComputed(own))
    return new Problem(`the stream does not compute ${set}@${version} on every partition`, `Finish it: tidemark apply ${set}@${version}`)
  const filled: VersionEvent = { kind: 'filled', version, at: by.at }
  return own.mode === 'shadow' ? [filled] : [filled, { kind: 'promoted', version, ...by }]
}

function decidePromote(state: SetState, { version, by }: Only<'promote'>): readonly VersionEvent[] | Problem {
  const { set, versions } = state
  const own = versions[version]
  if (!own) return notApplied(set, version, `Run: tidemark apply ${set}@${version}`)
  if (own.retired) return retired(set, version)
  if (!isComplete(own)) return notComplete(set, own)
  return promotedIn(state) === version ? [] : [{ kind: 'promoted', version, ...by }]
}

const notComplete = (set: string, { version, mode }: Version) =>
  new Problem(
    `the history of ${set}@${version} is not complete, so it cannot be shown`,
    `Finish it: tidemark apply ${set}@${version}${mode === 'first' ? '' : ` --${mode}`}`,
  )

/** An earlier rollback that was cut short is finished first: nobody was told of it yet. */
function decideRollback(state: SetState, { by }: Only<'rollback'>): readonly VersionEvent[] | Problem {
  const { set, chain, versions, begun } = state
  const [top, before] = [chain.at(-1), chain.at(-2)]
  if (top === undefined) return new Problem(`no version of ${set} is applied`, `Run: tidemark apply ${set}@0`)
  if (begun?.kind === 'rolled back') return []
  if (before === undefined)
    return new Problem(
      `${set}@${top} is the only version that SQL users have seen`,
      `There is nothing to go back to; see: tidemark versions ${set}`,
    )
  if (!isComplete(versions[before]!)) return notComplete(set, versions[before]!)
  return [{ kind: 'rolled back', version: top, to: before, ...by }]
}

function decideRetire(state: SetState, { version, still: { shown, onTheWay }, by }: Only<'retire'>): readonly VersionEvent[] | Problem {
  const { set, versions, chain } = state
  const own = versions[version]
  if (!own) return notApplied(set, version, `See what is: tidemark versions ${set}`)
  if (own.retired) return []
  if (promotedIn(state) === version)
    return new Problem(`${set}@${version} is the promoted version`, `Promote another one first: tidemark promote ${set}@N`)
  if (chain.includes(version) && shown) {
    return new Problem(
      `${set} still shows ${shown.rows} rows of ${set}@${version} (records ${shown.first} to ${shown.last})`,
      `Give the promoted version rows for them with a backfill; only then can ${set}@${version} be retired.`,
    )
  }
  if (chain.includes(version) && onTheWay > 0) {
    return new Problem(
      `${onTheWay} rows of ${set}@${version} are on their way to the warehouse, and ${set} may show them`,
      `Let the sink write them: tidemark sink --until-caught-up; then run this again.`,
    )
  }
  return [{ kind: 'retired', version, ...by }]
}
