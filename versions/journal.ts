/** The life of a set's versions as a journal: what was decided and done, in order, and what is so after it. Pure. */
import type { Mode } from '../streams/position.ts'
import type { VersionState } from '../utilities/warehouse.ts'

/** Who decided it, when, and why; with what was measured for it. */
export type By = { readonly who: string; readonly at: string; readonly why: string | null; readonly measured?: string }

/** A schema as the registry has it: enough to put it there again. */
export type Schema = { readonly id: string; readonly definition: string }

export type VersionEvent =
  /**
   * Its schema is registered and its rows are to be computed, on so many partitions. Once more for another mode, as long as nothing runs.
   */
  | ({
      readonly kind: 'planned'
      readonly version: number
      readonly mode: Mode
      readonly partitions: number
      readonly schema: Schema
      readonly record: Schema
    } & By)
  /** The stream computes it on this partition, behind that record. */
  | { readonly kind: 'switched'; readonly version: number; readonly partition: number; readonly afterSeq: number; readonly at: string }
  /** Every record of history has its row, and the stream computes it on every partition. */
  | { readonly kind: 'filled'; readonly version: number; readonly at: string }
  /** SQL users are to see it. */
  | ({ readonly kind: 'promoted'; readonly version: number } & By)
  /** SQL users are to see the version that they saw before. */
  | ({ readonly kind: 'rolled back'; readonly version: number; readonly to: number } & By)
  /** Its view, rows and state are to go. */
  | ({ readonly kind: 'retired'; readonly version: number } & By)
  /** All that was decided is carried out, and whoever asked for it was told. */
  | { readonly kind: 'settled'; readonly at: string }

/** What was decided and is not settled yet. */
type Decision = Extract<VersionEvent, By>

export type Version = {
  readonly version: number
  readonly mode: Mode
  readonly schema: Schema
  readonly record: Schema
  /** By partition; undefined where it has not been switched to. */
  readonly switches: readonly ({ readonly afterSeq: number; readonly at: string } | undefined)[]
  readonly filled: boolean
  readonly wasPromoted: boolean
  readonly retired: boolean
  readonly acts: readonly Act[]
}

/** What was done to a version, in words. */
type Act = By & { readonly act: string }

export type SetState = {
  readonly set: string
  /** How many events there are: what was decided for a state holds as long as this is the same. */
  readonly events: number
  readonly versions: readonly Version[]
  /** Every promotion that counts, the present one last. */
  readonly chain: readonly number[]
  readonly begun: Decision | null
}

export const nothingYet = (set: string): SetState => ({ set, events: 0, versions: [], chain: [], begun: null })

export const evolve = (state: SetState, event: VersionEvent): SetState => ({ ...after(state, event), events: state.events + 1 })

function after(state: SetState, event: VersionEvent): SetState {
  if (event.kind === 'settled') return { ...state, begun: null }
  const change = (changed: Partial<Version>) => state.versions.map((one) => (one.version === event.version ? { ...one, ...changed } : one))
  const actOf = (act: string) => ({ acts: [...state.versions[event.version]!.acts, { act, ...byOf(event as By) }] })
  switch (event.kind) {
    case 'planned': {
      const { version, mode, partitions, schema, record } = event
      const before = state.versions[version]
      const planned: Version = {
        version,
        mode,
        schema,
        record,
        switches: new Array<undefined>(partitions).fill(undefined),
        filled: false,
        wasPromoted: false,
        retired: false,
        acts: [...(before?.acts ?? []), { act: mode === 'first' ? 'apply' : `apply --${mode}`, ...byOf(event) }],
      }
      return { ...state, versions: [...state.versions.filter((one) => one.version !== version), planned], begun: event }
    }
    case 'switched': {
      const { partition, afterSeq, at } = event
      return { ...state, versions: change({ switches: state.versions[event.version]!.switches.with(partition, { afterSeq, at }) }) }
    }
    case 'filled': {
      const { acts, mode } = state.versions[event.version]!
      const done = mode === 'shadow' ? [...acts, { act: 'shadow complete', who: acts.at(-1)!.who, at: event.at, why: null }] : acts
      return { ...state, versions: change({ filled: true, acts: done }) }
    }
    case 'promoted': {
      const { mode, wasPromoted } = state.versions[event.version]!
      // Without a history to fill, showing it is part of applying it.
      const own = wasPromoted || mode === 'backfill' || mode === 'shadow' ? actOf('promote') : {}
      const { chain } = withoutUnseen(state)
      return {
        ...state,
        chain: chain.at(-1) === event.version ? chain : [...chain, event.version],
        versions: change({ wasPromoted: true, ...own }),
        begun: event,
      }
    }
    case 'rolled back': {
      const versions = change(actOf('rollback')).map((one) =>
        one.version === event.to
          ? { ...one, acts: [...one.acts, { act: `shown again: rollback of ${state.set}@${event.version}`, ...byOf(event) }] }
          : one,
      )
      return { ...state, chain: state.chain.slice(0, -1), versions, begun: event }
    }
    case 'retired': {
      const chain = state.chain.filter((version) => version !== event.version).filter((version, i, all) => version !== all[i - 1])
      return { ...state, chain, versions: change({ retired: true, ...actOf('retire') }), begun: event }
    }
  }
}

const byOf = ({ who, at, why, measured }: By): By => ({ who, at, why, ...(measured === undefined ? {} : { measured }) })

/** A version that was to be shown before it had any row, and makes room before it has: nobody has seen it. */
function withoutUnseen(state: SetState): SetState {
  const top = state.versions[state.chain.at(-1) ?? -1]
  return top === undefined || isComplete(top) ? state : { ...state, chain: state.chain.slice(0, -1) }
}

/** What SQL users see, or are about to. */
export const promotedIn = ({ chain }: SetState): number | null => chain.at(-1) ?? null

/** The versions that the base view looks through for each record, the promoted one first. */
export const shownIn = ({ chain }: SetState): readonly number[] => [...new Set(chain.toReversed())]

export const hasRowsOfHistory = ({ mode }: Pick<Version, 'mode'>): boolean => mode === 'backfill' || mode === 'shadow'

/** Whether the stream computes it, or has, on every partition. */
export const isComputed = ({ switches }: Version): boolean => switches.every((one) => one !== undefined)

/** Whether the command that applied it has brought it to where it can be shown. */
export const isComplete = (version: Version): boolean => isComputed(version) && (version.filled || !hasRowsOfHistory(version))

export function stateOf({ chain }: Pick<SetState, 'chain'>, version: Version): VersionState {
  if (version.retired) return 'retired'
  if (chain.at(-1) === version.version) return 'promoted'
  if (chain.includes(version.version)) return 'superseded'
  if (version.wasPromoted && isComplete(version)) return 'rolled back'
  if (isComplete(version) && version.mode === 'shadow') return 'shadow'
  return hasRowsOfHistory(version) ? 'filling' : 'registered'
}

/** The versions that the stream is to compute: the promoted one and the shadows, and what is being filled to become one of them. */
export const toBeComputed = (state: SetState): readonly Version[] =>
  state.versions.filter((version) => ['promoted', 'shadow', 'filling'].includes(stateOf(state, version))).toReversed()
