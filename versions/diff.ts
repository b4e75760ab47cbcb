/** `diff`: two versions compared, definition by definition and, where both have rows, value by value. */
import { isFact } from '../schemas/fact.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { Problem } from '../utilities/values/problem.ts'
import { featureChanges, type FeatureChange } from './changes.ts'
import type { VersionPorts } from './bring.ts'
import { loadState } from './keep.ts'
import { merge } from './merge.ts'
import { tally, type ValueDiff } from './value-diff.ts'

export type VersionsDiff = {
  readonly set: string
  readonly from: number
  readonly to: number
  readonly features: readonly FeatureChange[]
  readonly rows: { readonly from: number; readonly to: number; readonly both: number }
  readonly values: readonly ValueDiff[]
}

type DiffOptions = {
  readonly set: string
  readonly from: number
  readonly to: number
  readonly signal: AbortSignal
  readonly report: (rows: number) => void
}

export async function diff(
  ports: Pick<VersionPorts, 'registry' | 'warehouse' | 'checkpoints'>,
  { set, from, to, signal, report }: DiffOptions,
): Promise<VersionsDiff> {
  const { registry, warehouse } = ports
  const known = await knownVersions(registry, set)
  const { versions } = await loadState(ports, set)
  const definitionOf = (version: number) => {
    const found = known.find(({ definition }) => definition.version === version)
    if (!found || !versions[version]) throw new Problem(`${set}@${version} is not applied`, `See what is: tidemark versions ${set}`)
    return found.definition
  }
  const [before, after] = [definitionOf(from), definitionOf(to)]
  const features = featureChanges(before, after)
  const shared = features.filter((one) => one.before !== null && one.after !== null).map(({ feature }) => feature)
  const [extentFrom, extentTo] = [await warehouse.extent(set, from), await warehouse.extent(set, to)]
  const tallies = shared.map(tally)
  let both = 0
  if (extentFrom && extentTo) {
    const range = { first: Math.max(extentFrom.first, extentTo.first), last: Math.min(extentFrom.last, extentTo.last) }
    const names = ['_seq', ...(isFact(after.record) ? ['_key'] : []), ...shared]
    for await (const { left, right, count } of merge([warehouse.rows(set, from, range, names)], [warehouse.rows(set, to, range, names)])) {
      signal.throwIfAborted()
      if (!left || !right) continue
      tallies.forEach((one, i) =>
        one.add(left.rows.byName.get(shared[i]!)!, left.first, right.rows.byName.get(shared[i]!)!, right.first, count),
      )
      both += count
      report(count)
    }
  }
  return {
    set,
    from,
    to,
    features,
    rows: { from: extentFrom?.rows ?? 0, to: extentTo?.rows ?? 0, both },
    values: tallies.map((one) => one.result()),
  }
}
