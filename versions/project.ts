/** What the warehouse and the registry say of a set's versions: made from the journal, after it, and made again whenever they differ. */
import { isDeepStrictEqual } from 'node:util'
import { knownVersions } from '../streams/known-versions.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import type { Registry } from '../utilities/registry.ts'
import type { Layout, VersionRecord, Warehouse } from '../utilities/warehouse.ts'
import { stateOf, toBeComputed, type SetState } from './journal.ts'
import { factsGone, layoutOf } from './layout.ts'

type Ports = { readonly registry: Registry; readonly warehouse: Warehouse }

/** Tables, views and records, in one transaction; nothing when they are so already. Gives the statements that it took. */
export async function project({ registry, warehouse }: Ports, state: SetState): Promise<readonly string[]> {
  if (state.versions.length === 0) return []
  const { layout, records } = await projected({ registry, warehouse }, state)
  const there = await warehouse.versions(state.set)
  const changed = records.filter(
    (record) =>
      !isDeepStrictEqual(
        record,
        there.find(({ version }) => version === record.version),
      ),
  )
  const { statements } = await warehouse.plan(layout)
  if (changed.length > 0 || statements.length > 0) await warehouse.arrange(layout, changed)
  return statements
}

/** How many statements would be needed, and of which versions the record says something else. */
export type Amiss = { readonly statements: number; readonly records: readonly number[] }

/** What of it somebody took away or changed. */
export async function amissInProjection({ registry, warehouse }: Ports, state: SetState): Promise<Amiss> {
  // A command that is at work, or was cut short, has still to make it so.
  if (state.versions.length === 0 || state.begun !== null) return { statements: 0, records: [] }
  const { layout, records } = await projected({ registry, warehouse }, state)
  const there = new Map((await warehouse.versions(state.set)).map((record) => [record.version, said(record)]))
  return {
    statements: (await warehouse.plan(layout)).statements.length,
    records: records.filter((record) => !isDeepStrictEqual(said(record), there.get(record.version))).map(({ version }) => version),
  }
}

/** What SQL users go by; a store of before may tell of what was done in other words. */
const said = ({ state, mode, schemaId, promotion }: VersionRecord) => ({ state, mode, schemaId, promotion })

/** The layout of all versions that are planned, and their records; `planned` stands for one that the registry does not know yet. */
export async function projected(
  { registry, warehouse }: Ports,
  state: SetState,
  planned?: Definition,
): Promise<{ readonly layout: Layout; readonly records: readonly VersionRecord[] }> {
  const known = (await knownVersions(registry, state.set)).map(({ definition }) => definition)
  const all = planned && !known.some(({ version }) => version === planned.version) ? [...known, planned] : known
  const definitions = all.filter(({ version }) => state.versions[version] !== undefined)
  const records = definitions.map((definition) => recordOf(state, definition))
  const others = records.some(({ state: is }) => is === 'retired') ? await warehouse.versions() : []
  const gone = factsGone(
    definitions,
    records,
    others.filter(({ set }) => set !== state.set),
  )
  return { layout: layoutOf(definitions, records, gone), records }
}

function recordOf(state: SetState, { set, version, ...definition }: Definition): VersionRecord {
  const own = state.versions[version]!
  const place = state.chain.lastIndexOf(version)
  return {
    set,
    version,
    state: stateOf(state, own),
    mode: own.mode,
    schemaId: own.schema.id,
    definition: JSON.stringify({ set, version, ...definition }),
    switches: own.switches.flatMap((one, partition) => (one ? [{ partition, ...one }] : [])),
    promotion: place === -1 ? null : place + 1,
    acts: own.acts.map(({ act, who, at, why, measured }) => ({ act, who, at, why, ...(measured === undefined ? {} : { measured }) })),
  }
}

/** Tells people and other tools, by labels in the registry, which versions are computed. */
export async function labelLive(registry: Registry, state: SetState): Promise<void> {
  for (const { id, live } of await staleLabels(registry, state)) await registry.label(id, { live })
}

/** What the registry should say and does not. */
async function staleLabels(registry: Registry, state: SetState): Promise<readonly { readonly id: string; readonly live: 'yes' | 'no' }[]> {
  const live = new Set(toBeComputed(state).map(({ version }) => version))
  return (await knownVersions(registry, state.set)).flatMap(({ definition, registered }) => {
    const now = live.has(definition.version) ? 'yes' : 'no'
    return registered.labels['live'] === now ? [] : [{ id: registered.id, live: now } as const]
  })
}
