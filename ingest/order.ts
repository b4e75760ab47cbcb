/**
 * Finds the facts that become another thing, and puts them into the order of their messages: those that leave, then by date, then by key.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FactSchema } from '../schemas/fact.ts'
import { columnOf, type Column, type Columns } from '../utilities/values/columns.ts'
import { pickOrNull } from '../utilities/values/pick-or-null.ts'
import type { Tables } from '../utilities/tables.ts'
import type { FactChanges, FactMaker } from './facts-of.ts'

const placesAtOnce = 10_000

type Ordering = {
  /** Otherwise every fact is new. */
  readonly before: boolean
  /** Hears of facts that were found to change, where they are looked at one by one. */
  readonly found?: (some: FactChanges) => void
  readonly signal?: AbortSignal
}

/** How many places there are in the list `ordered`. */
export async function orderFacts(
  tables: Tables,
  fact: FactSchema,
  { joined, changes }: FactMaker,
  { before, found, signal }: Ordering,
): Promise<number> {
  const { csv, sql } = fact.fields[fact.at]!
  // All of them are new, and their date is a column: nothing needs to be looked at to have them in order.
  if (!before && sql === undefined && !found) return tables.orderBy(joined, csv)
  const listed = tables.list(joined, { all: !before })
  for (let from = 0; from < listed; from += placesAtOnce) {
    signal?.throwIfAborted()
    const some = changes('affected', from, Math.min(listed, from + placesAtOnce), { before })
    found?.(some)
    tables.order(placed(fact, some))
    await nextTurn()
  }
  return tables.ordered(joined)
}

/** The places of those that change, and of those that only cannot be made. */
function placed({ at }: FactSchema, { changes, unfit }: FactChanges): Columns {
  const places = columnOf(changes, '_seq', 'int').values
  const known = new Set(places)
  const others = unfit.filter(({ place }) => !known.has(place)).map(({ place }) => place)
  const is = columnOf(changes, 'after', 'flag').values
  const rank = Float64Array.from([...is, ...others.map(() => 1)])
  return {
    count: places.length + others.length,
    byName: new Map<string, Column>([
      ['_seq', { kind: 'int', values: Float64Array.from([...places, ...others]) }],
      // 0 for those that leave.
      ['rank', { kind: 'int', values: rank }],
      ['at', eitherOf(changes.byName.get(`after.${at}`)!, changes.byName.get(`before.${at}`)!, is, others.length)],
    ]),
  }
}

/** The date that it has now or, where it leaves, had; so many more without one. */
function eitherOf(after: Column, before: Column, is: Uint8Array, more: number): Column {
  const rows = Int32Array.from({ length: is.length + more }, (_, row) => (row < is.length ? row : -1))
  const [now, then] = [pickOrNull(after, rows), pickOrNull(before, rows)]
  if (now.kind === 'date' && then.kind === 'date')
    return { kind: 'date', days: now.days.map((day, row) => (row < is.length && is[row] === 0 ? then.days[row]! : day)) }
  if (now.kind !== 'timestamp' || then.kind !== 'timestamp') throw new TypeError(`facts have no ${now.kind} for their date`)
  const wide = new Map(now.wide)
  for (const [row, value] of then.wide ?? []) if (is[row] === 0) wide.set(row, value)
  return { kind: 'timestamp', values: now.values.map((one, row) => (row < is.length && is[row] === 0 ? then.values[row]! : one)), wide }
}
