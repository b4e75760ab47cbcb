/** What is done to versions: noted in the warehouse with who did it, when and why, together with what SQL users see of it. */
import { knownVersions } from '../feature-defs/known-versions.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { loadPositions, switchesTo, type Mode } from '../feature-defs/checkpoint.ts'
import type { VersionRecord } from '../utilities/warehouse/warehouse.ts'
import type { VersionPorts } from './growth.ts'
import { layoutOf, promotedOf, withRecords } from './layout.ts'

/** Who changes something, and why: kept in `tidemark_versions`. */
export type Actor = { readonly who: string; readonly why: string | null; readonly measured?: string }

export type Change = Partial<Pick<VersionRecord, 'state' | 'promotion'>>

/** Puts the changed records, with the switches that the checkpoint knows, and makes tables and views fit them, in one transaction. */
export async function act({ registry, checkpoints, warehouse }: Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>, set: string, changes: readonly VersionRecord[]): Promise<void> {
  const definitions = (await knownVersions(registry, set)).map(({ definition }) => definition)
  const positions = await loadPositions(checkpoints, set)
  const changed = changes.map((record) => {
    const switches = switchesTo(positions, record.version)
    return switches.length > 0 ? { ...record, switches } : record
  })
  await warehouse.arrange(layoutOf(definitions, withRecords(await warehouse.versions(set), changed)), changed)
}

/** The record with one more act; an act done again after a crash, which finds its change made, is noted once. */
export function acted(record: VersionRecord, clock: VersionPorts['clock'], { who, why, measured }: Actor, what: string, change: Change): VersionRecord {
  const at = isoTime(clock)
  const again = record.acts.at(-1)?.act === what && record.state === change.state
  return { ...record, ...change, acts: again ? record.acts : [...record.acts, { act: what, who, at, why, ...(measured === undefined ? {} : { measured }) }] }
}

export const isoTime = (clock: VersionPorts['clock']): string => new Date(Number(clock() / 1_000_000n)).toISOString()

export const newRecord = ({ set, version, ...definition }: Definition, schemaId: string, mode: Mode): VersionRecord => ({
  set, version, mode, schemaId, state: 'registered', definition: JSON.stringify({ set, version, ...definition }), switches: [], promotion: null, acts: [],
})

/** The change that puts a version on top of the chain, and the one that takes the present top off it. */
export function toTop(records: readonly VersionRecord[], mine: VersionRecord): { readonly promotion: number; readonly superseded: readonly VersionRecord[] } {
  const top = promotedOf(records)
  const promotion = top?.version === mine.version ? top.promotion! : (top?.promotion ?? 0) + 1
  const superseded = records.filter((one) => one.state === 'promoted' && one.version !== mine.version).map((one): VersionRecord => ({ ...one, state: 'superseded' }))
  return { promotion, superseded }
}
