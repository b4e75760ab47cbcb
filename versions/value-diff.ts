/** How the values of one feature differ between two versions: how many, and for numbers by how much. */
import { wholeAt, type Column } from '../utilities/values/columns.ts'
import { isNullAt } from '../utilities/values/nulls.ts'

export type ValueDiff = {
  readonly feature: string
  /** Rows that both versions have, and those whose value differs (one of them null counts). */
  readonly rows: number
  readonly changed: number
  readonly changedPercent: number
  /** Of the absolute difference, over the rows where both have a value; null where there are none, and for what is no number. */
  readonly mean: number | null
  readonly max: number | null
  readonly quantiles: { readonly p50: number | null; readonly p90: number | null; readonly p99: number | null }
  readonly nullsBefore: number
  readonly nullsAfter: number
  /** Rows that had a value and have none now. */
  readonly lostPercent: number
}

/** Collects what differs of one feature; 8 bytes a changed row. */
export function tally(feature: string) {
  let rows = 0
  let changed = 0
  let lost = 0
  let nullsBefore = 0
  let nullsAfter = 0
  let compared = 0
  let isMeasured = true
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
    add(before: Column, rowBefore: number, after: Column, rowAfter: number, many: number) {
      const [wasNull, isNull] = [isNullAt(before), isNullAt(after)]
      const { equal, distance } = beside(before, after)
      isMeasured &&= distance !== undefined
      for (let k = 0; k < many; k++) {
        const [was, is] = [rowBefore + k, rowAfter + k]
        rows++
        const [none, noneNow] = [wasNull(was), isNull(is)]
        if (none) nullsBefore++
        if (noneNow) nullsAfter++
        if (none || noneNow) {
          if (none !== noneNow) changed++
          if (!none && noneNow) lost++
          continue
        }
        compared++
        if (equal(was, is)) continue
        changed++
        if (distance) keep(distance(was, is))
      }
    },
    result(): ValueDiff {
      const sorted = differences.subarray(0, count).sort()
      const isNone = compared === 0 || !isMeasured
      // Equal values stand in front: they are not stored, only counted.
      const equal = compared - count
      const at = (share: number) => {
        if (isNone) return null
        const place = Math.ceil(share * compared) - 1
        return place < equal ? 0 : sorted[place - equal]!
      }
      return {
        feature,
        rows,
        changed,
        changedPercent: percent(changed, rows),
        mean: isNone ? null : sum / compared,
        max: isNone ? null : (sorted.at(-1) ?? 0),
        quantiles: { p50: at(0.5), p90: at(0.9), p99: at(0.99) },
        nullsBefore,
        nullsAfter,
        lostPercent: percent(lost, rows),
      }
    },
  }
}

const percent = (part: number, whole: number) => (whole === 0 ? 0 : (100 * part) / whole)

/** Rows of one column against rows of the other, both of which have a value there. Without a distance they are equal, or they are not. */
type Beside = { equal(was: number, is: number): boolean; distance?(was: number, is: number): number }

function beside(before: Column, after: Column): Beside {
  if (before.kind === 'text' && after.kind === 'text') {
    const [one, other] = [bytesOf(before.bytes), bytesOf(after.bytes)]
    return {
      equal: (was, is) => one.compare(other, after.starts[is], after.ends[is], before.starts[was], before.ends[was]) === 0,
    }
  }
  if (before.kind === 'date' && after.kind === 'date') return { equal: (was, is) => before.days[was] === after.days[is] }
  if (before.kind === 'flag' && after.kind === 'flag') return { equal: (was, is) => before.values[was] === after.values[is] }
  if (before.kind === 'timestamp' && after.kind === 'timestamp') return { equal: (was, is) => wholeAt(before, was) === wholeAt(after, is) }
  if (before.kind === 'number' && after.kind === 'number') {
    return {
      equal: (was, is) => before.values[was] === after.values[is],
      distance: (was, is) => Math.abs(after.values[is]! - before.values[was]!),
    }
  }
  if ((before.kind === 'integer' && after.kind === 'integer') || (before.kind === 'decimal' && after.kind === 'decimal')) {
    const unit = before.kind === 'decimal' ? 10 ** before.scale : 1
    return {
      equal: (was, is) => wholeAt(before, was) === wholeAt(after, is),
      distance: (was, is) => Math.abs(Number(wholeAt(after, is)! - wholeAt(before, was)!)) / unit,
    }
  }
  throw new TypeError(`a column of ${before.kind}s cannot be compared with one of ${after.kind}s`)
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength)
