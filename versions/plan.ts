/** `plan`: what applying a version would do, before anything is done. */
import { loadPosition, type Mode } from '../feature-defs/checkpoint.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import type { VersionRecord } from '../utilities/warehouse/warehouse.ts'
import type { VersionPorts } from './growth.ts'
import { featureChanges, type FeatureChange } from './changes.ts'
import { layoutOf, promotedOf, withRecords } from './layout.ts'

export type PlannedFeature = FeatureChange & { readonly state: 'inherited' | 'replayed from history' | 'starts empty' | 'dropped' }

export type Plan = {
  readonly set: string
  readonly version: number
  readonly mode: Mode
  readonly promoted: number | null
  readonly features: readonly PlannedFeature[]
  /** Records of history that are read again, and rows that are written for them. */
  readonly replayedRecords: number
  readonly writtenRows: number
  /** The exact statements for the warehouse. */
  readonly ddl: readonly string[]
}

export async function plan({ registry, checkpoints, warehouse }: VersionPorts, { chain, version, mode }: { readonly chain: readonly Definition[]; readonly version: number; readonly mode: Mode }): Promise<Plan> {
  const definition = chain[version]!
  const { set } = definition
  const known = await knownVersions(registry, set)
  const records = await warehouse.versions(set)
  const { history } = await loadPosition(checkpoints, set, 0)
  const replayed = history.reduce((sum, { rows }) => sum + rows, 0)
  const features = featureChanges(chain[version - 1], definition).map((change): PlannedFeature => ({ ...change, state: stateOf(change, mode) }))
  const replays = features.some(({ state }) => state === 'replayed from history')

  const released = known.map((one) => one.definition)
  const after = released.some((one) => one.version === version) ? released : [...released, definition]
  const shown = mode !== 'shadow'
  const next: VersionRecord = {
    set, version, mode, state: shown ? 'promoted' : 'shadow', schemaId: '', definition: '', switches: [], acts: [],
    promotion: shown ? (promotedOf(records)?.version === version ? promotedOf(records)!.promotion : (promotedOf(records)?.promotion ?? 0) + 1) : null,
  }
  return {
    set, version, mode,
    promoted: promotedOf(records)?.version ?? null,
    features,
    replayedRecords: replays ? replayed : 0,
    writtenRows: mode === 'backfill' || mode === 'shadow' ? replayed : 0,
    ddl: await warehouse.plan(layoutOf(after, withRecords(records, [next]))),
  }
}

function stateOf({ after, sameAs }: FeatureChange, mode: Mode): PlannedFeature['state'] {
  if (after === null) return 'dropped'
  if (mode === 'first') return 'starts empty'
  if (mode === 'backfill' || mode === 'shadow') return 'replayed from history'
  if (sameAs !== null) return 'inherited'
  return mode === 'cold' ? 'starts empty' : 'replayed from history'
}

