/**
 * Finds the facts that become another thing, and puts them into the order of their messages: those that leave, then by date, then by key.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FactSchema } from '../schemas/fact.ts'
import { columnOf, nullColumn, pick, rowsWhere, type Column, type Columns } from '../utilities/values/columns.ts'
import type { Tables } from '../utilities/tables.ts'
import type { FactChanges, FactMaker } from './facts-of.ts'
import { orderHere, type Ordered } from './order-here.ts'

const [usualAtOnce, usualMostHere] = [5_000, 20_000]

/** A version of a fact, with what makes it; several of them have the same tables and joins. */
export type Version = { readonly fact: FactSchema; readonly maker: FactMaker }

type Ordering = {
  /** Otherwise every fact is new. */
  readonly before: boolean
  /** Hears of facts that were found to change, where they are looked at one by one. */
  readonly found?: (some: FactChanges) => void
  readonly signal?: AbortSignal
  /** Of so many rows at most what was found is kept, and nothing is read again. */
  readonly mostHere?: number
  /** So many rows are read at once. */
  readonly atOnce?: number
}

export async function orderFacts(tables: Tables, versions: readonly Version[], options: Ordering): Promise<Ordered> {
  const { before, found, signal, mostHere = usualMostHere, atOnce = usualAtOnce } = options
  const listedBy = (count: number): Ordered => ({
    count,
    changes: (from, to) => versions.map(({ maker }) => maker.changes('ordered', from, to, { before })),
    known: (from, to) => tables.known('ordered', from, to),
  })
  const [
    {
      fact,
      maker: { joined },
    },
  ] = versions as [Version]
  const { csv, sql } = fact.fields[fact.at]!
  // All of them are new, and their date is a column: nothing needs to be looked at to have them in order.
  if (!before && sql === undefined && !found) return listedBy(tables.orderBy(joined, csv))
  const listed = tables.list(joined, { all: !before })
  const kept: Found[][] = []
  const areKept = listed <= mostHere
  for (let from = 0; from < listed; from += atOnce) {
    signal?.throwIfAborted()
    const to = Math.min(listed, from + atOnce)
    const some = versions.map(({ fact, maker }) => {
      // Where they are read again, only what orders them is made.
      const wanted = found || areKept ? { before } : { before, only: [fact.at] }
      return { fact, ...maker.changes('affected', from, to, wanted) }
    })
    if (found) some.forEach(found)
    if (areKept) kept.push(some)
    else for (const places of placesIn(some)) tables.order(places)
    await nextTurn()
  }
  if (areKept) {
    const here = orderHere(kept, kept.flatMap(placesIn), { listed, known: () => knownIn(kept) ?? tables.known('affected', 0, listed) })
    if (here) return here
    for (const some of kept) for (const places of placesIn(some)) tables.order(places)
  }
  return listedBy(tables.ordered(joined))
}

/** Of all parts, as the first version has it: what is staged is the same for all of them. */
function knownIn(parts: readonly (readonly FactChanges[])[]): BigInt64Array | undefined {
  const all = parts.map(([first]) => first!.known)
  if (!all.every((one) => one !== undefined)) return undefined
  const known = new BigInt64Array(all.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const one of all) {
    known.set(one, at)
    at += one.length
  }
  return known
}

type Found = FactChanges & { readonly fact: FactSchema }

/** Each place once: where it changes in the first version in which it does, then those of which a fact only cannot be made. */
function placesIn(versions: readonly Found[]): readonly Columns[] {
  const known = new Set<number>()
  const changing = versions.map(({ fact: { at }, changes }, i) => {
    const places = columnOf(changes, '_seq', 'int').values
    const is = columnOf(changes, 'after', 'flag').values
    const all: Columns = {
      count: places.length,
      byName: new Map<string, Column>([
        ['_seq', { kind: 'int', values: places }],
        // 0 for those that leave.
        ['rank', { kind: 'int', values: Float64Array.from(is) }],
        ['at', eitherOf(changes.byName.get(`after.${at}`)!, changes.byName.get(`before.${at}`)!, is)],
      ]),
    }
    const own =
      i === 0
        ? all
        : pick(
            all,
            rowsWhere(places, (place) => !known.has(place)),
          )
    for (const place of places) known.add(place)
    return own
  })
  const { fact } = versions[0]!
  const others = [...new Set(versions.flatMap(({ unfit }) => unfit.map(({ place }) => place)))].filter((place) => !known.has(place))
  const unfit: Columns = {
    count: others.length,
    byName: new Map<string, Column>([
      ['_seq', { kind: 'int', values: Float64Array.from(others) }],
      ['rank', { kind: 'int', values: new Float64Array(others.length).fill(1) }],
      ['at', nullColumn(fact.fields[fact.at]!, others.length)],
    ]),
  }
  return [...changing, unfit].filter(({ count }) => count > 0)
}

/** The date that it has now or, where it leaves, had. */
function eitherOf(now: Column, then: Column, is: Uint8Array): Column {
  if (now.kind === 'date' && then.kind === 'date')
    return { kind: 'date', days: now.days.map((day, row) => (is[row] === 0 ? then.days[row]! : day)) }
  if (now.kind !== 'timestamp' || then.kind !== 'timestamp') throw new TypeError(`facts have no ${now.kind} for their date`)
  const wide = new Map(now.wide)
  for (const [row, value] of then.wide ?? []) if (is[row] === 0) wide.set(row, value)
  return { kind: 'timestamp', values: now.values.map((one, row) => (is[row] === 0 ? then.values[row]! : one)), wide }
}
