/** The features that somebody asks for by name, found among the versions that there are. */
import { featureFingerprint, versionFingerprint } from '../feature-defs/fingerprint.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { keyFields } from '../feature-defs/keys.ts'
import { featureType } from '../feature-defs/known-operators.ts'
import { isFact } from '../schemas/fact.ts'
import { sqlType } from '../schemas/sql.ts'
import type { AskedSet, AskedVersion } from '../training/asked.ts'
import type { FeatureWord } from './training-manifest.ts'
import type { AskWarehouse } from '../training/statement.ts'
import type { AskedColumn } from '../training/output-columns.ts'
import { microsOf } from '../utilities/values/timestamp.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionState } from '../utilities/warehouse.ts'
import type { PromotionAt } from '../versions/promotions.ts'

/** A version that rows can be had of. */
export type VersionThere = { readonly definition: Definition; readonly state: VersionState }

export interface RowsThere {
  /** By set, in order of versions. */
  readonly versions: ReadonlyMap<string, readonly VersionThere[]>
  /** How far its rows go, and how to read those up to there. */
  rowsOf(definition: Definition): Promise<Pick<AskedVersion, 'lastSeq' | 'rows'> & { readonly hasKnown: boolean }>
  /** Asked for where rows are to be of the version that was promoted then. */
  promotionsOf(set: string): Promise<readonly PromotionAt[]>
  /** Where the warehouse looks for itself, and rows are not read. */
  readonly asOf?: AskWarehouse | undefined
}

export type AskedFeatures = {
  readonly sets: readonly (AskedSet & { readonly promotedAt: readonly PromotionAt[] | null })[]
  readonly columns: readonly AskedColumn[]
}

export async function askedFeatures(words: readonly FeatureWord[], there: RowsThere, asServed: boolean): Promise<AskedFeatures> {
  const found = words.map((word) => ({ ...word, of: versionOf(there, word) }))
  const twice = found.find(({ feature, of }, i) => found.findIndex((one) => one.of === of && one.feature === feature) < i)
  if (twice) throw usage(`${label(twice.of.definition)}:${twice.feature} is named twice`, 'Name each feature once.')
  const bySet = Map.groupBy(found, ({ of }) => of)
  const sets = await Promise.all(
    [...bySet].map(([{ definition }, features]) =>
      askedSet(
        there,
        definition,
        features.map(({ feature }) => feature),
        asServed,
      ),
    ),
  )
  const keys = [...bySet.keys()]
  return { sets, columns: found.map(({ of, feature }) => ({ set: keys.indexOf(of), feature })) }
}

const usage = (what: string, todo: string) => new Problem(what, todo, { usage: true })

function versionOf({ versions }: RowsThere, { set, version, feature }: FeatureWord): VersionThere {
  const all = versions.get(set)
  if (!all)
    throw usage(
      `there is no feature set ${set}`,
      versions.size === 0 ? 'Apply one first: tidemark apply SET@0.' : `There are ${[...versions.keys()].join(', ')}.`,
    )
  const found =
    version === undefined ? all.find(({ state }) => state === 'promoted') : all.find(({ definition }) => definition.version === version)
  if (!found) {
    const names = all.map(({ definition }) => label(definition)).join(', ')
    throw usage(version === undefined ? `no version of ${set} is promoted` : `there is no ${set}@${version}`, `There are ${names}.`)
  }
  const { definition, state } = found
  const name = label(definition)
  if (state === 'registered') throw new Problem(`${name} is not applied`, 'See what is: tidemark versions')
  if (state === 'retired') throw new Problem(`${name} is retired: its rows are gone`, `See what is left: tidemark versions ${set}`)
  if (state === 'filling')
    throw new Problem(`the history of ${name} is being filled, or that was interrupted`, `Finish it first: tidemark apply ${name}`)
  const names = definition.features.map((one) => one.name)
  if (!names.includes(feature)) throw usage(`${name} has no feature ${feature}`, `Its features are ${names.join(', ')}.`)
  return found
}

async function askedSet(
  there: RowsThere,
  definition: Definition,
  names: readonly string[],
  asServed: boolean,
): Promise<AskedFeatures['sets'][number]> {
  const { set, version, record, per } = definition
  const promotedAt = asServed ? await there.promotionsOf(set) : null
  const those = promotedAt
    ? [...new Set(promotedAt.map((one) => one.version))].map((one) =>
        there.versions.get(set)!.find((two) => two.definition.version === one)!,
      )
    : [{ definition }]
  const rows = await Promise.all(those.map(async (one) => ({ definition: one.definition, ...(await there.rowsOf(one.definition)) })))
  return {
    set,
    version,
    per: keyFields(per).map((name) => ({ name, field: record.fields[name]! })),
    of: {
      at: record.at,
      atType: sqlType(record.fields[record.at]!),
      facts: isFact(record),
      hasKnown: rows.every(({ hasKnown }) => hasKnown),
    },
    features: names.map((name) => {
      const feature = definition.features.find((one) => one.name === name)!
      return { name, type: featureType(record, feature), spec: feature.spec, fingerprint: featureFingerprint(definition, feature) }
    }),
    versions: rows.map((one) => ({
      version: one.definition.version,
      definition: versionFingerprint(one.definition),
      has: one.definition.features.map(({ name }) => name),
      lastSeq: one.lastSeq,
      rows: one.rows,
    })),
    promotedAt,
    ...(promotedAt && {
      promotions: promotedAt.map(({ version: one, at }) => ({ version: one, from: Number(microsOf(at.slice(0, -1))) })),
    }),
  }
}
