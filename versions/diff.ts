/** `diff`: two versions compared, definition by definition and, where both have rows, value by value. */
import { knownVersions } from '../streams/known-versions.ts'
import { columnOf, type Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import { featureChanges, type FeatureChange } from './changes.ts'
import type { VersionPorts } from './bring.ts'
import { loadState } from './keep.ts'
import { merge } from './merge.ts'

export type ValueDiff = {
  readonly feature: string
  /** Rows that both versions have, and those whose value differs (one of them null counts). */
  readonly rows: number
  readonly changed: number
  readonly changedPercent: number
  /** Of the absolute difference, over the rows where both have a value; null where there are none. */
  readonly mean: number | null
  readonly max: number | null
  readonly quantiles: { readonly p50: number | null; readonly p90: number | null; readonly p99: number | null }
  readonly nullsBefore: number
  readonly nullsAfter: number
  /** Rows that had a value and have none now. */
  readonly lostPercent: number
}

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
    const names = ['_seq', ...shared]
    for await (const { left, right, count } of merge([warehouse.rows(set, from, range, names)], [warehouse.rows(set, to, range, names)])) {
      signal.throwIfAborted()
      if (!left || !right) continue
      tallies.forEach((one, i) =>
        one.add(valuesOf(left.rows, shared[i]!), left.first, valuesOf(right.rows, shared[i]!), right.first, count),
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

const valuesOf = (rows: Columns, name: string) => columnOf(rows, name, 'number').values

/** Collects what differs of one feature; 8 bytes a changed row. */
function tally(feature: string) {
  let rows = 0
  let changed = 0
  let lost = 0
  let nullsBefore = 0
  let nullsAfter = 0
  let compared = 0
  let sum = 0
  let differences = new Float64Array(1024)
  let count = 0
  const keep = (difference: number) => {
    if (count === differences.length) {
      const larger = new Float64Array(count * 2)
      larger.set(differences)
      differences = larger
    }
    differences[count++] = difference
    sum += difference
  }
  return {
    add(before: Float64Array, rowBefore: number, after: Float64Array, rowAfter: number, many: number) {
      for (let k = 0; k < many; k++) {
        const [was, is] = [before[rowBefore + k]!, after[rowAfter + k]!]
        rows++
        if (Number.isNaN(was)) nullsBefore++
        if (Number.isNaN(is)) nullsAfter++
        if (Number.isNaN(was) || Number.isNaN(is)) {
          if (Number.isNaN(was) !== Number.isNaN(is)) changed++
          if (!Number.isNaN(was) && Number.isNaN(is)) lost++
          continue
        }
        compared++
        if (was === is) continue
        changed++
        keep(Math.abs(is - was))
      }
    },
    result(): ValueDiff {
      const sorted = differences.subarray(0, count).sort()
      // Equal values stand in front: they are not stored, only counted.
      const equal = compared - count
      const at = (share: number) => {
        if (compared === 0) return null
        const place = Math.ceil(share * compared) - 1
        return place < equal ? 0 : sorted[place - equal]!
      }
      return {
        feature,
        rows,
        changed,
        changedPercent: percent(changed, rows),
        mean: compared === 0 ? null : sum / compared,
        max: compared === 0 ? null : (sorted.at(-1) ?? 0),
        quantiles: { p50: at(0.5), p90: at(0.9), p99: at(0.99) },
        nullsBefore,
        nullsAfter,
        lostPercent: percent(lost, rows),
      }
    },
  }
}

const percent = (part: number, whole: number) => (whole === 0 ? 0 : (100 * part) / whole)
