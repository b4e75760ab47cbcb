/** `plan`: what applying a version would do, before anything is done. */
import { loadPositions, loadSpeed, running, type Mode, type Piece, type Position } from '../feature-defs/checkpoint.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { routingFor } from '../feature-defs/routing.ts'
import type { VersionRecord } from '../utilities/warehouse/warehouse.ts'
import { newRecord, toTop } from './acts.ts'
import { featureChanges, type FeatureChange } from './changes.ts'
import { checkApply, isComputed, reasonsAgainst } from './check.ts'
import type { VersionPorts } from './growth.ts'
import { layoutOf, promotedOf, withRecords } from './layout.ts'

export type PlannedFeature = FeatureChange & { readonly state: 'inherited' | 'replayed from history' | 'starts empty' | 'dropped' }

export type Plan = {
  readonly set: string
  readonly version: number
  readonly mode: Mode
  /** False when the version is applied and complete. */
  readonly changes: boolean
  readonly promoted: number | null
  readonly features: readonly PlannedFeature[]
  /** Why the registry would refuse the schema; empty when it would take it. */
  readonly incompatible: readonly string[]
  /** Records of history that are read again, and rows that are written for them. */
  readonly replayedRecords: number
  readonly writtenRows: number
  /** From this store's own measured speed and size; null when it has not measured any yet. */
  readonly seconds: number | null
  readonly bytes: number | null
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
  const definition = chain[version]!
  const { set } = definition
  const due = await checkApply(ports, chain, version)
  await routingFor(ports, definition, partitions)
  const positions = await loadPositions(checkpoints, set)
  const history = positions.flatMap((position) => position.history)
  const records = await warehouse.versions(set)
  const mode = modeOf(asked, history, records.find((one) => one.version === version))
  const known = await knownVersions(registry, set)
  const released = known.find((one) => one.definition.version === version)
  const features = featureChanges(chain[version - 1], definition).map((change): PlannedFeature => ({ ...change, state: stateOf(change, mode) }))

  const held = history.reduce((sum, { rows }) => sum + rows, 0)
  const withRows = mode === 'backfill' || mode === 'shadow'
  const computed = isComputed(positions, version)
  const replayedRecords = due !== 'nothing' && !computed && features.some(({ state }) => state === 'replayed from history') ? held : 0
  const writtenRows = withRows ? replayedRecords : 0
  const speed = await loadSpeed(checkpoints)
  const perSecond = withRows ? speed.withRows : speed.withoutRows
  const storedRows = positions.reduce((sum, position) => sum + rowsStored(position), 0)

  const definitions = released ? known.map((one) => one.definition) : [...known.map((one) => one.definition), definition]
  const incompatible = released ? [] : await reasonsAgainst(registry, definition)
  const ddl = due === 'nothing' || incompatible.length > 0 ? [] : await warehouse.plan(layoutOf(definitions, withRecords(records, planned(records, definition, mode))))
  const views = [...new Set(ddl.flatMap((statement) => /^(?:DROP|CREATE|CREATE OR REPLACE) VIEW (?:"[a-z0-9_]+"\.)?"([a-z0-9_]+)"/.exec(statement)?.[1] ?? []))]
  const dependents = await warehouse.dependents(set)
  return {
    set, version, mode, features, incompatible, replayedRecords, writtenRows, ddl, views,
    changes: due !== 'nothing',
    promoted: promotedOf(records)?.version ?? null,
    seconds: replayedRecords === 0 ? 0 : perSecond ? replayedRecords / perSecond : null,
    bytes: writtenRows === 0 ? 0 : storedRows > 0 ? Math.round((await warehouse.bytes()) / storedRows) * writtenRows : null,
    dependents: dependents.filter(({ uses }) => uses.some((view) => views.includes(view))),
    pinned: known.filter(({ definition: { version: one } }) => records.find((record) => record.version === one)?.state !== 'retired')
      .map(({ definition: { version: one } }) => ({ view: `${set}_v${one}`, by: dependents.filter(({ uses }) => uses.includes(`${set}_v${one}`)).map(({ view }) => view) })),
  }
}

/** The first version, or an empty history, needs no mode; an apply that was cut short is finished the way it began. */
function modeOf(asked: Mode | undefined, history: readonly Piece[], begun: VersionRecord | undefined): Mode {
  if (begun) return begun.mode as Mode
  return history.length === 0 ? 'first' : (asked ?? 'backfill')
}

function planned(records: readonly VersionRecord[], definition: Definition, mode: Mode): readonly VersionRecord[] {
  const mine = records.find((one) => one.version === definition.version) ?? newRecord(definition, '', mode)
  if (mode === 'shadow') return [{ ...mine, state: 'shadow' }]
  const { promotion, superseded } = toTop(records, mine)
  return [...superseded, { ...mine, state: 'promoted', promotion }]
}

function stateOf({ after, sameAs }: FeatureChange, mode: Mode): PlannedFeature['state'] {
  if (after === null) return 'dropped'
  if (mode === 'first') return 'starts empty'
  if (mode === 'backfill' || mode === 'shadow') return 'replayed from history'
  if (sameAs !== null) return 'inherited'
  return mode === 'cold' ? 'starts empty' : 'replayed from history'
}

/** About how many rows the warehouse has of the set: each record once for every version that owns it. */
function rowsStored(position: Position): number {
  const records = position.history.reduce((sum, { rows }) => sum + rows, 0)
  const share = running(position).length + position.runs.filter(({ until }) => until !== null).reduce((sum, { after, until }) => sum + (until! - after) / Math.max(1, position.seq), 0)
  return Math.round(records * share)
}
