/** The order that tables on disk would give, for facts that are few enough to be kept: none of their rows is read again. */
import { columnOf, noDay, type Column, type Columns } from '../utilities/values/columns.ts'
import { mixed } from '../utilities/values/mixed.ts'
import type { FactChanges, Unfit } from './facts-of.ts'

/** Facts in order. */
export type Ordered = {
  readonly count: number
  /** At these places, the second excluded, as each of the versions has them. */
  changes(from: number, to: number): readonly FactChanges[]
  /** When each of these became known. */
  known(from: number, to: number): BigInt64Array
}

type List = { readonly listed: number; readonly known: () => BigInt64Array }

/**
 * `found` are parts of the list, each as the versions have it; `places` tell of each place once by what it is ordered. Places rise with the
 * keys of their rows. Undefined where dates are beyond what numbers tell apart.
 */
export function orderHere(
  found: readonly (readonly FactChanges[])[],
  places: readonly Columns[],
  { listed, known: knownOf }: List,
): Ordered | undefined {
  const [ranks, dates] = [new Float64Array(listed), new Float64Array(listed)]
  const order: number[] = []
  for (const some of places) {
    const at = datesIn(some)
    if (!at) return undefined
    const rank = columnOf(some, 'rank', 'int').values
    const own = columnOf(some, '_seq', 'int').values
    for (let row = 0; row < own.length; row++) {
      const place = own[row]!
      ranks[place] = rank[row]!
      dates[place] = at[row]!
      order.push(place)
    }
  }
  const sorted = Int32Array.from(order).sort((a, b) => ranks[a]! - ranks[b]! || (dates[a] === dates[b] ? a - b : dates[a]! - dates[b]!))
  const versions = (found[0] ?? []).map((_, version) =>
    inOrder(
      found.map((part) => part[version]!),
      sorted,
      listed,
    ),
  )
  let known: BigInt64Array | undefined
  return {
    count: sorted.length,
    changes: (from, to) => versions.map((changesAt) => changesAt(from, to)),
    known(from, to) {
      const all = (known ??= knownOf())
      const some = new BigInt64Array(to - from)
      for (let i = from; i < to; i++) some[i - from] = all[sorted[i]!]!
      return some
    },
  }
}

/** One that is not there comes first, as in SQL. */
function datesIn(some: Columns): readonly number[] | Float64Array | undefined {
  const at = some.byName.get('at')!
  if (at.kind === 'date') return Array.from(at.days, (day) => (day === noDay ? -Infinity : day))
  if (at.kind !== 'timestamp' || (at.wide?.size ?? 0) > 0) return undefined
  return at.values.map((value) => (Number.isNaN(value) ? -Infinity : value))
}

function inOrder(parts: readonly FactChanges[], sorted: Int32Array, listed: number): (from: number, to: number) => FactChanges {
  const [partAt, rowAt] = [new Uint8Array(listed), new Int32Array(listed).fill(-1)]
  for (const [part, { changes }] of parts.entries()) {
    const places = columnOf(changes, '_seq', 'int').values
    for (let row = 0; row < places.length; row++) {
      partAt[places[row]!] = part
      rowAt[places[row]!] = row
    }
  }
  const unfitAt = new Map(parts.flatMap(({ unfit }) => unfit.map((one) => [one.place, one] as const)))
  return (from, to) => {
    const [numbers, which, rows] = [new Float64Array(to - from), new Uint8Array(to - from), new Int32Array(to - from)]
    const unfit: Unfit[] = []
    let count = 0
    for (let i = from; i < to; i++) {
      const place = sorted[i]!
      if (rowAt[place]! >= 0) {
        numbers[count] = i
        which[count] = partAt[place]!
        rows[count++] = rowAt[place]!
      }
      const one = unfitAt.size > 0 ? unfitAt.get(place) : undefined
      if (one) unfit.push({ ...one, place: i })
    }
    const mix = { which: which.subarray(0, count), rows: rows.subarray(0, count) }
    const columnAt = (name: string) =>
      mixed(
        parts.map(({ changes }) => changes.byName.get(name)!),
        mix,
      )
    const byName = new Map<string, Column>([...parts[0]!.changes.byName.keys()].map((name) => [name, columnAt(name)]))
    return { changes: { count, byName: byName.set('_seq', { kind: 'int', values: numbers.slice(0, count) }) }, unfit }
  }
}
