/** Facts as they come and go: what the rows that are joined make of them in both states, beside one another. */
import { keysOf } from '../feature-defs/keys.ts'
import type { Misfit } from '../schemas/computed.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { columnsNeeded, joinedFields } from '../schemas/joined.ts'
import { columnOf, nullColumn, type Column, type Columns } from '../utilities/values/columns.ts'
import { pickerOf } from '../utilities/values/pick-or-null.ts'
import { sameCells, type Same } from '../utilities/values/same-cells.ts'
import { textsFrom } from '../utilities/sql/cells.ts'
import type { Joined, Listed, Tables } from '../utilities/tables.ts'

/** A row of which no fact can be made, by the key that it would have. */
export type Unfit = { readonly place: number; readonly key: string; readonly column: string; readonly reason: string }

/**
 * Facts that are another thing before and after: `_seq` is the place in the list, `change` and `key` are texts, `before` and `after` say
 * which there are, and every field is there as `before.field` and `after.field`.
 */
export type FactChanges = {
  readonly changes: Columns
  readonly unfit: readonly Unfit[]
  /** Of each of the places that were looked at in both states, when what may change it became known. */
  readonly known?: BigInt64Array
}

type ChangesOptions = {
  /** Without it every fact is new. */
  readonly before: boolean
  /** Of the fields only these are wanted, without `change` and `key`. */
  readonly only?: readonly string[]
}

export type FactMaker = {
  readonly joined: Joined
  /** At these places of the list, the second excluded. */
  changes(listed: Listed, from: number, to: number, options: ChangesOptions): FactChanges
  /** Every fact that stands, some at a time, with `_key` as text. */
  standing(): Iterable<Columns>
}

export function factMaker(fact: FactSchema, tables: Tables): FactMaker {
  const { of } = fact.fact
  const names = Object.keys(fact.fields)
  const { joined, make } = parsed(fact)

  const side = (rows: Columns, from: number, to: number): Side => {
    const { columns, misfits } = make(rows)
    const places = columnOf(rows, '_seq', 'int').values
    const unfit = new Map(misfits.map((misfit) => [places[misfit.row]! - from, misfit]))
    return { columns, rowAt: rowsAt(columns, from, to), rows, unfit }
  }
  const none: Columns = { count: 0, byName: new Map(names.map((name) => [name, nullColumn(fact.fields[name]!, 0)])) }
  const empty = (from: number, to: number): Side => ({
    columns: none,
    rowAt: new Int32Array(to - from).fill(-1),
    rows: none,
    unfit: new Map(),
  })

  return {
    joined,
    changes(listed, from, to, { before: hasBefore, only }) {
      const both = hasBefore ? tables.both(joined, listed, from, to) : undefined
      const before = both ? side(both.before, from, to) : empty(from, to)
      const after = side(both?.after ?? tables.rows(joined, 'after', listed, from, to), from, to)
      const same = before.columns.count > 0 ? sameRows(before.columns, after.columns, names) : () => false
      const places: number[] = []
      for (let i = 0; i < to - from; i++) {
        const [was, is] = [before.rowAt[i]!, after.rowAt[i]!]
        if ((was >= 0 || is >= 0) && !(was >= 0 && is >= 0 && same(was, is))) places.push(i)
      }
      const keysAfter = after.unfit.size > 0 ? keysOf(after.rows, of.key) : []
      const unfit = [...after.unfit].flatMap(([i, misfit]): readonly Unfit[] => {
        const stood = before.unfit.get(i)
        // It was told when it came to be so.
        if (stood?.column === misfit.column && stood.reason === misfit.reason) return []
        return [{ place: from + i, key: keysAfter[misfit.row]!, column: misfit.column, reason: misfit.reason }]
      })
      const changes = besides(before, after, places, { from, names: only ?? names, key: only ? undefined : of.key })
      return { changes, unfit, ...(both && { known: both.known }) }
    },
    *standing() {
      for (const rows of tables.standing(joined)) {
        const { columns } = make(rows)
        const keys = keysOf(rows, of.key)
        const seq = columnOf(rows, '_seq', 'int').values
        const keyOf = new Map(Array.from(seq, (one, row) => [one, keys[row]!]))
        const own = Array.from(columnOf(columns, '_seq', 'int').values, (one) => keyOf.get(one)!)
        yield { count: columns.count, byName: new Map([...columns.byName, ['_key', textsFrom(own)]]) }
      }
    },
  }
}

type Parsed = { readonly joined: Joined; readonly make: ReturnType<typeof joinedFields> }
const known = new WeakMap<FactSchema, Parsed>()

/** Its expressions are read once. */
function parsed(fact: FactSchema): Parsed {
  const before = known.get(fact)
  if (before) return before
  const { of, join } = fact.fact
  const wanted = [...new Set([...of.key, ...columnsNeeded(fact)])]
  const now = { joined: { of, join, wanted }, make: joinedFields(fact) }
  known.set(fact, now)
  return now
}

/** Facts of one state at places of a list, with the rows that they are made of: the fact of each place, or -1. */
type Side = {
  readonly columns: Columns
  readonly rowAt: Int32Array
  readonly rows: Columns
  readonly unfit: ReadonlyMap<number, Misfit>
}

function rowsAt(columns: Columns, from: number, to: number): Int32Array {
  const places = columnOf(columns, '_seq', 'int').values
  const rows = new Int32Array(to - from).fill(-1)
  for (let row = 0; row < places.length; row++) rows[places[row]! - from] = row
  return rows
}

function sameRows(one: Columns, other: Columns, names: readonly string[]): Same {
  const same = names.map((name) => sameCells(one.byName.get(name)!, other.byName.get(name)!))
  return (row, otherRow) => {
    for (const isSame of same) if (!isSame(row, otherRow)) return false
    return true
  }
}

/** Without a `key`, what a fact is called and what became of it is not wanted either. */
type Wanted = { readonly from: number; readonly names: readonly string[]; readonly key: readonly string[] | undefined }

const words = ['added', 'removed', 'changed']
const wordTexts = textsFrom(words)

function besides(before: Side, after: Side, places: readonly number[], { from, names, key }: Wanted): Columns {
  const count = places.length
  const [numbers, was, is] = [new Float64Array(count), new Int32Array(count), new Int32Array(count)]
  const [wasThere, isThere, word] = [new Uint8Array(count), new Uint8Array(count), new Int32Array(count)]
  for (let k = 0; k < count; k++) {
    const place = places[k]!
    numbers[k] = from + place
    was[k] = before.rowAt[place]!
    is[k] = after.rowAt[place]!
    wasThere[k] = was[k]! < 0 ? 0 : 1
    isThere[k] = is[k]! < 0 ? 0 : 1
    word[k] = was[k]! < 0 ? 0 : is[k]! < 0 ? 1 : 2
  }
  const { bytes, starts, ends } = wordTexts
  const told: [string, Column][] = key
    ? [
        ['change', { kind: 'text', bytes, starts: word.map((one) => starts[one]!), ends: word.map((one) => ends[one]!) }],
        ['key', textsFrom(keysAt(before, after, is, places, { from, key }))],
      ]
    : []
  const fields = ({ columns }: Side, name: 'before' | 'after', there: Uint8Array, rows: Int32Array): readonly [string, Column][] => {
    const pick = pickerOf(rows)
    return [
      [name, { kind: 'flag', values: there }],
      ...names.map((own): [string, Column] => [`${name}.${own}`, pick(columns.byName.get(own)!)]),
    ]
  }
  return {
    count,
    byName: new Map<string, Column>([
      ['_seq', { kind: 'int', values: numbers }],
      ...told,
      ...fields(before, 'before', wasThere, was),
      ...fields(after, 'after', isThere, is),
    ]),
  }
}

/** A fact has one key, whichever state it is there in. */
function keysAt(
  before: Side,
  after: Side,
  is: Int32Array,
  places: readonly number[],
  { from, key }: { readonly from: number; readonly key: readonly string[] },
): readonly string[] {
  const of = ({ rows }: Side) => {
    const rowAt = rowsAt(rows, from, from + before.rowAt.length)
    const keys = keysOf(rows, key)
    return (place: number) => keys[rowAt[place]!]!
  }
  const now = of(after)
  const then = is.includes(-1) ? of(before) : now
  return places.map((place, k) => (is[k]! < 0 ? then(place) : now(place)))
}
