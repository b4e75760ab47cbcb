/**
 * What a request for features comes to: which versions are read, by which entity columns, and what stands in which column of the answer.
 */
import { label } from '../feature-defs/feature-set.ts'
import type { ServedState } from '../serving/serving.ts'
import { featurePlaces, isStill, referenceOf, servedVersion, type Asked } from './references.ts'
import type { FeaturesAsked } from './asked.ts'
import { Refused } from './refused.ts'

export type Plan = {
  readonly groups: readonly Asked[]
  /** In the order asked: the feature's place in the rows of its group, for each version of the chain. */
  readonly columns: readonly { readonly group: number; readonly places: readonly number[] }[]
  /** Of the entity columns, in the order of the request, then of the features. */
  readonly names: readonly string[]
}

export function planOf(state: ServedState, { features, entities, fullNames }: FeaturesAsked): Plan {
  const groups: Asked[] = []
  const seen = new Map<string, number>()
  const names: string[] = Object.keys(entities)
  const columns = features.map((said) => {
    const { set, version, feature } = referenceOf(said)
    const asked = servedVersion(state, set, version)
    const id = `${label(asked)}${asked.isPinned ? '' : ' promoted'}`
    const group = seen.get(id) ?? groups.push(asked) - 1
    seen.set(id, group)
    names.push(fullNames ? `${asked.isPinned ? `${set}@v${asked.version}` : set}__${feature}` : feature)
    return { group, places: featurePlaces(asked, feature) }
  })
  checkEntities(groups, Object.keys(entities))
  checkNames(names, fullNames)
  return { groups, columns, names }
}

export const isPlanStill = (state: ServedState, { groups }: Plan): boolean => groups.every((group) => isStill(state, group))

function checkEntities(groups: readonly Asked[], given: readonly string[]): void {
  const keys = new Set(groups.flatMap(({ key }) => key.map(({ name }) => name)))
  for (const group of groups) {
    const missing = group.key.find(({ name }) => !given.includes(name))
    if (missing)
      throw new Refused(
        400,
        `the key of ${group.set} is ${group.key.map(({ name }) => name).join(', ')}, and "entities" has no ${missing.name}`,
        `Give it one value for each row: "${missing.name}": […].`,
      )
  }
  const stranger = given.find((name) => !keys.has(name))
  if (stranger === undefined) return
  const todo = keys.size === 0 ? 'Leave "entities" empty: these sets have no key.' : `Their keys are ${[...keys].join(', ')}.`
  throw new Refused(400, `"entities" has ${stranger}, which is no key of the sets that are asked for`, todo)
}

function checkNames(names: readonly string[], fullNames: boolean): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice === undefined) return
  const todo = fullNames
    ? 'Ask for each feature once.'
    : 'Ask for each feature once, or with "full_feature_names": true, which puts the set before each name.'
  throw new Refused(400, `two columns of the answer would be called ${twice}`, todo)
}
