/** How the warehouse of a feature set should look, from its released versions and the chain of promotions. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { sqlColumns } from '../schemas/sql.ts'
import { viewColumns, type Layout, type SqlColumn, type VersionRecord } from '../utilities/warehouse.ts'

export function layoutOf(definitions: readonly Definition[], records: readonly VersionRecord[]): Layout {
  const latest = definitions.at(-1)!
  const retired = new Set(records.filter(({ state }) => state === 'retired').map(({ version }) => version))
  const promoted = records.filter(({ promotion }) => promotion !== null).sort((a, b) => b.promotion! - a.promotion!)
  return {
    set: latest.set,
    record: sqlColumns(latest.record),
    features: [...new Set(definitions.flatMap(({ features }) => features.map(({ name }) => name)))],
    leading: definitions[0]!.features.length,
    versions: definitions
      .filter(({ version }) => !retired.has(version))
      .map(({ version, features }) => ({ version, features: features.map(({ name }) => name) })),
    chain: promoted.map(({ version }) => version),
  }
}

/** The columns of a version's own view, as the versions given have it. */
export const columnsOf = (definitions: readonly Definition[], version: number): readonly SqlColumn[] =>
  viewColumns(
    layoutOf(definitions, []),
    definitions.find((one) => one.version === version)!.features.map(({ name }) => name),
  )
