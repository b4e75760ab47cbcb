/** How the warehouse of a feature set should look, from its released versions and the chain of promotions. */
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { keyFields } from '../feature-defs/keys.ts'
import { featureType } from '../feature-defs/known-operators.ts'
import { isFact } from '../schemas/fact.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { sqlColumns, sqlType } from '../schemas/sql.ts'
import { standsAs, streamOf } from '../streams/stream.ts'
import { Problem } from '../utilities/values/problem.ts'
import { viewColumns, type FactLayout, type Layout, type SqlColumn, type SqlType, type VersionRecord } from '../utilities/warehouse.ts'

export function layoutOf(definitions: readonly Definition[], records: readonly VersionRecord[], gone: readonly string[] = []): Layout {
  const latest = definitions.at(-1)!
  const retired = new Set(records.filter(({ state }) => state === 'retired').map(({ version }) => version))
  const promoted = records.filter(({ promotion }) => promotion !== null).sort((a, b) => b.promotion! - a.promotion!)
  return {
    set: latest.set,
    record: fieldsOf(definitions),
    features: featuresOf(definitions),
    leading: definitions[0]!.features.length,
    ...(gone.length > 0 && { gone }),
    per: keyFields(latest.per),
    at: latest.record.at,
    ...(isFact(latest.record) && { facts: factsOf(definitions.filter(({ version }) => !retired.has(version))) }),
    versions: definitions
      .filter(({ version }) => !retired.has(version))
      .map((definition) => ({
        version: definition.version,
        shows: shownBy(definition),
        ...(isFact(definition.record) && { fact: standsAs(streamOf(definition.record)) }),
      })),
    chain: promoted.map(({ version }) => version),
  }
}

/** One for each version of the fact that rows are made of. */
const factsOf = (definitions: readonly Definition[]): readonly FactLayout[] => [
  ...new Map(definitions.map(({ record }) => standing(record)).map((one) => [one.name, one])).values(),
]

const standing = (record: RecordSchema): FactLayout => ({ name: standsAs(streamOf(record)), columns: sqlColumns(record) })

/** Of the facts of retired versions those that nobody needs: no other version of the set, and none of these other ones. */
export function factsGone(
  definitions: readonly Definition[],
  records: readonly VersionRecord[],
  others: readonly VersionRecord[],
): readonly string[] {
  const isRetired = ({ version }: Definition) => records.some((one) => one.version === version && one.state === 'retired')
  const names = (some: readonly Definition[]) => factsOf(some.filter(({ record }) => isFact(record))).map(({ name }) => name)
  const retired = names(definitions.filter(isRetired))
  if (retired.length === 0) return []
  const elsewhere = others.filter(({ state }) => state !== 'retired').map(({ definition }) => JSON.parse(definition) as Definition)
  const needed = new Set([...names(definitions.filter((one) => !isRetired(one))), ...names(elsewhere)])
  return retired.filter((name) => !needed.has(name))
}

const shownBy = ({ record, features }: Definition): readonly string[] => [
  ...Object.keys(record.fields),
  ...features.map(({ name }) => name),
]

/** Every field once, in the order in which records got them. */
const fieldsOf = (definitions: readonly Definition[]): readonly SqlColumn[] => [
  ...new Map(definitions.flatMap(({ record }) => sqlColumns(record)).map((column) => [column.name, column])).values(),
]

/** Every feature once, with its type. */
function featuresOf(definitions: readonly Definition[]): readonly SqlColumn[] {
  const found = new Map<string, SqlColumn & { readonly since: string }>()
  for (const definition of definitions) {
    for (const feature of definition.features) {
      const { name } = feature
      const type = sqlType(featureType(definition.record, feature))
      const before = found.get(name)
      if (!before) found.set(name, { name, type, since: label(definition) })
      else if (!holds(before.type, type)) {
        const what = `feature ${name} is ${typeText(type)} in ${label(definition)}, and ${typeText(before.type)} since ${before.since}`
        throw new Problem(what, 'Give the feature another name: a column of the warehouse keeps its type.')
      }
    }
  }
  return [...found.values()].map(({ name, type }) => ({ name, type }))
}

/** Texts may become shorter, and nothing else may become anything else. */
const holds = (before: SqlType, type: SqlType): boolean =>
  typeof before === 'object' && typeof type === 'object' && 'varchar' in before && 'varchar' in type
    ? type.varchar <= before.varchar
    : typeText(before) === typeText(type)

const typeText = (type: SqlType): string => {
  if (typeof type === 'string') return type
  return 'varchar' in type ? `text of ${type.varchar} bytes` : `decimal(${type.digits}, ${type.scale})`
}

/** The columns of a version's own view, as the versions given have it. */
export const columnsOf = (definitions: readonly Definition[], version: number): readonly SqlColumn[] =>
  viewColumns(layoutOf(definitions, []), shownBy(definitions.find((one) => one.version === version)!))
