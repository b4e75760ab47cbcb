/** `plan`: what applying a version would do, before anything is done. */
import { loadPositions, loadSpeed, rowsTaken, running, type Mode, type Position } from '../streams/position.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { isModel } from '../feature-defs/models/model.ts'
import { openModels } from '../feature-defs/models/score-rows.ts'
import { routingFor } from '../streams/routing.ts'
import { ownerOf } from '../streams/stream.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts } from './bring.ts'
import { featureChanges, type FeatureChange } from './changes.ts'
import { checkReleased, reasonsAgainst, refuseCold } from './check.ts'
import { decide, outOfOrder } from './decide.ts'
import { evolve, hasRowsOfHistory, isComplete, promotedIn, type SetState, type Version } from './journal.ts'
import { loadState } from './keep.ts'
import { largestKey, type LargestKey } from './largest-key.ts'
import { projected } from './project.ts'
import { refuseLost } from './unfinished.ts'

type PlannedFeature = FeatureChange & { readonly state: 'inherited' | 'replayed from history' | 'starts empty' | 'none' | 'dropped' }

export type Plan = {
  readonly set: string
  readonly version: number
  readonly mode: Mode
  /** False when the version is applied and complete. */
  readonly changes: boolean
  /** What this was planned for: it is carried out only while that is so. */
  readonly seen: SetState
  readonly promoted: number | null
  readonly features: readonly PlannedFeature[]
  /** Those that the record has more than the one of the version before: null in what was written until now. */
  readonly fields: readonly string[]
  /** Why the registry would refuse the schema; empty when it would take it. */
  readonly incompatible: readonly string[]
  /** Records of history that are read again, and rows that are written for them. */
  readonly replayedRecords: number
  readonly writtenRows: number
  /** From this store's own measured speed and size; null when it has not measured any yet. */
  readonly seconds: number | null
  readonly bytes: number | null
  /** Of what is there of the set, where the version's state grows with what it sees. */
  readonly largestKey: LargestKey | null
  /** The exact statements for the warehouse. */
  readonly ddl: readonly string[]
  /** Views whose text changes, and what other people built on them. */
  readonly views: readonly string[]
  readonly dependents: readonly { readonly view: string; readonly uses: readonly string[] }[]
  /** Versions that keep a view of their own, with the other people's views on it. */
  readonly pinned: readonly { readonly view: string; readonly by: readonly string[] }[]
}

export type PlanOptions = {
  readonly chain: readonly Definition[]
  readonly version: number
  readonly mode: Mode | undefined
  /** How many inflow gets if it has to be made. */
  readonly partitions: number
}

export async function plan(ports: VersionPorts, { chain, version, mode: asked, partitions }: PlanOptions): Promise<Plan> {
  const { registry, checkpoints, warehouse } = ports
  const definition = chain[version]
  const { set } = chain[0]!
  if (!definition) throw new Problem(`there is no ${set}@${version}`, `The definitions have versions 0 to ${chain.length - 1} of ${set}.`)
  await checkReleased(registry, chain, version)
  const state = await loadState(ports, set)
  await refuseLost(ports, state)
  const refused = outOfOrder(state, version)
  if (refused) throw refused
  await routingFor(ports, definition, partitions)
  const positions = await loadPositions(checkpoints, ownerOf(definition))
  const own = state.versions[version]
  const mode = modeOf(asked, version, own)
  refuseCold(definition, mode)
  const planned = { version, mode, partitions: positions.length, schema: nobodys, record: nobodys, by: somebody } as const
  const events = decide(state, { kind: 'apply', ...planned })
  if (events instanceof Problem) throw events
  const due = events.length > 0 || state.begun?.version === version || (own !== undefined && !isComplete(own))
  if (due) await openModels(definition, ports.models)
  const features = featureChanges(chain[version - 1], definition).map((change): PlannedFeature => ({
    ...change,
    state: stateOf(change, mode),
  }))

  const before = chain[version - 1]?.record.fields ?? definition.record.fields
  const held = positions.reduce((sum, position) => sum + rowsTaken(position), 0)
  const withRows = hasRowsOfHistory({ mode })
  const computed = own !== undefined && isComplete(own)
  const replayedRecords = due && !computed && features.some(({ state }) => state === 'replayed from history') ? held : 0
  const writtenRows = withRows ? replayedRecords : 0
  const speed = await loadSpeed(checkpoints)
  const perSecond = withRows ? speed.withRows : speed.withoutRows
  const storedRows = positions.reduce((sum, position) => sum + rowsStored(position), 0)

  const incompatible = own ? [] : await reasonsAgainst(registry, definition)
  const after = completed(events.reduce(evolve, state), version)
  const { layout } = await projected(ports, after, definition)
  const nothing = { statements: [], views: [] }
  const isDue = due && incompatible.length === 0
  const { statements: ddl, views } = isDue ? await warehouse.plan(layout) : nothing
  const dependents = await warehouse.dependents(set)
  return {
    set,
    version,
    mode,
    features,
    fields: Object.keys(definition.record.fields).filter((name) => !Object.hasOwn(before, name)),
    incompatible,
    replayedRecords,
    writtenRows,
    largestKey: await largestKey(checkpoints, definition, positions.length),
    ddl,
    views,
    seen: state,
    changes: due,
    promoted: promotedIn(state),
    seconds: replayedRecords === 0 ? 0 : perSecond ? replayedRecords / perSecond : null,
    bytes: writtenRows === 0 ? 0 : storedRows > 0 ? Math.round((await warehouse.bytes()) / storedRows) * writtenRows : null,
    dependents: dependents.filter(({ uses }) => uses.some((view) => views.includes(view))),
    pinned: state.versions
      .filter(({ retired }) => !retired)
      .map(({ version: one }) => ({
        view: `${set}_v${one}`,
        by: dependents.filter(({ uses }) => uses.includes(`${set}_v${one}`)).map(({ view }) => view),
      })),
  }
}

const nobodys = { id: '', definition: '' }
const somebody = { who: '', at: '', why: null }

/** What it is once its history is filled. */
function completed(state: SetState, version: number): SetState {
  const own = state.versions[version]!
  if (!hasRowsOfHistory(own) || own.filled) return state
  const filled = evolve(state, { kind: 'filled', version, at: '' })
  return own.mode === 'shadow' ? filled : evolve(filled, { kind: 'promoted', version, ...somebody })
}

/** The first version needs no mode; an apply that was cut short is finished the way it began, unless another way is asked for. */
function modeOf(asked: Mode | undefined, version: number, begun: Version | undefined): Mode {
  if (begun && (isComplete(begun) || asked === undefined)) return begun.mode
  return version === 0 ? 'first' : (asked ?? 'backfill')
}

function stateOf({ after, sameAs }: FeatureChange, mode: Mode): PlannedFeature['state'] {
  if (after === null) return 'dropped'
  if (isModel(after) && !hasRowsOfHistory({ mode })) return 'none'
  if (mode === 'first') return 'starts empty'
  if (hasRowsOfHistory({ mode })) return 'replayed from history'
  if (sameAs !== null) return 'inherited'
  return mode === 'cold' ? 'starts empty' : 'replayed from history'
}

/** About how many rows the warehouse has of the set: each record once for every version that owns it. */
function rowsStored(position: Position): number {
  const records = rowsTaken(position)
  const share =
    running(position).length +
    position.runs
      .filter(({ until }) => until !== null)
      .reduce((sum, { after, until }) => sum + (until! - after) / Math.max(1, position.seq), 0)
  return Math.round(records * share)
}
