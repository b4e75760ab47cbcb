/** Facts as they come and go: what the rows that are joined make of them in both states, beside one another. */
import { keysOf } from '../feature-defs/keys.ts'
import { avroField, type AvroSchema } from '../schemas/avro/schema.ts'
import { encoder } from '../schemas/avro/encode.ts'
import type { Misfit } from '../schemas/computed.ts'
import type { FactSchema } from '../schemas/fact.ts'
import { columnsNeeded, joinedFields } from '../schemas/joined.ts'
import { columnOf, nullColumn, type Column, type Columns } from '../utilities/values/columns.ts'
import { pickOrNull } from '../utilities/values/pick-or-null.ts'
import { textsFrom } from '../utilities/sql/cells.ts'
import type { Joined, Listed, Tables } from '../utilities/tables.ts'
import { message } from '../streams/dead.ts'

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

export type FactMaker = {
  readonly joined: Joined
  /** At these places of the list, the second excluded. Without a `before` every fact is new. */
  changes(listed: Listed, from: number, to: number, options: { readonly before: boolean }): FactChanges
  /** Every fact that stands, some at a time, with `_key` as text. */
  standing(): Iterable<Columns>
}

export function factMaker(fact: FactSchema, tables: Tables): FactMaker {
  const { of } = fact.fact
  const names = Object.keys(fact.fields)
  const { joined, make } = parsed(fact)
  const encode = encoder(valuesSchema(fact), '00000000-0000-0000-0000-000000000000')

  const side = (rows: Columns, from: number, to: number): Side => {
    const { columns, misfits } = make(rows)
    const keys = keysOf(rows, of.key)
    const places = columnOf(rows, '_seq', 'int').values
    const rowAt = new Int32Array(to - from).fill(-1)
    const keyAt = new Array<string | undefined>(to - from).fill(undefined)
    for (let row = 0; row < places.length; row++) keyAt[places[row]! - from] = keys[row]!
    const made = columnOf(columns, '_seq', 'int').values
    for (let row = 0; row < made.length; row++) rowAt[made[row]! - from] = row
    const unfit = new Map(misfits.map((misfit) => [places[misfit.row]! - from, misfit]))
    return { columns, rowAt, keyAt, unfit }
  }
  const empty = (from: number, to: number): Side => ({
    columns: { count: 0, byName: new Map(names.map((name) => [name, nullColumn(fact.fields[name]!, 0)])) },
    rowAt: new Int32Array(to - from).fill(-1),
    keyAt: [],
    unfit: new Map(),
  })

  return {
    joined,
    changes(listed, from, to, { before: hasBefore }) {
      const both = hasBefore ? tables.both(joined, listed, from, to) : undefined
      const before = both ? side(both.before, from, to) : empty(from, to)
      const after = side(both?.after ?? tables.rows(joined, 'after', listed, from, to), from, to)
      const same = before.columns.count > 0 ? equality(encode(before.columns), encode(after.columns)) : () => false
      const places: number[] = []
      for (let i = 0; i < to - from; i++) {
        const [was, is] = [before.rowAt[i]!, after.rowAt[i]!]
        if ((was >= 0 || is >= 0) && !(was >= 0 && is >= 0 && same(was, is))) places.push(i)
      }
      const unfit = [...after.unfit].flatMap(([i, misfit]): readonly Unfit[] => {
        const stood = before.unfit.get(i)
        // It was told when it came to be so.
        if (stood?.column === misfit.column && stood.reason === misfit.reason) return []
        return [{ place: from + i, key: after.keyAt[i]!, column: misfit.column, reason: misfit.reason }]
      })
      return { changes: besides(names, before, after, places, from), unfit, ...(both && { known: both.known }) }
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

/** Facts of one state at places of a list: the row of each, or -1. */
type Side = {
  readonly columns: Columns
  readonly rowAt: Int32Array
  readonly keyAt: readonly (string | undefined)[]
  readonly unfit: ReadonlyMap<number, Misfit>
}

const valuesSchema = ({ name, fields }: FactSchema): AvroSchema => ({
  type: 'record',
  name: `${name}_values`,
  fields: Object.entries(fields).map(([own, field]) => avroField(own, field)),
})

type Encoded = ReturnType<ReturnType<typeof encoder>>

/** Two facts are the same when they are the same bytes. */
function equality(one: Encoded, other: Encoded): (row: number, otherRow: number) => boolean {
  return (row, otherRow) => {
    const [a, b] = [message(one, row), message(other, otherRow)]
    if (a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
    return true
  }
}

const words = textsFrom(['changed', 'added', 'removed'])
const [changed, added, removed] = [0, 1, 2]

function besides(names: readonly string[], before: Side, after: Side, places: readonly number[], from: number): Columns {
  const count = places.length
  const [was, is] = [new Int32Array(count), new Int32Array(count)]
  const [wasThere, isThere] = [new Uint8Array(count), new Uint8Array(count)]
  const seq = new Float64Array(count)
  const [starts, ends] = [new Int32Array(count), new Int32Array(count)]
  for (let k = 0; k < count; k++) {
    const i = places[k]!
    was[k] = before.rowAt[i]!
    is[k] = after.rowAt[i]!
    if (was[k]! >= 0) wasThere[k] = 1
    if (is[k]! >= 0) isThere[k] = 1
    seq[k] = from + i
    const word = was[k]! < 0 ? added : is[k]! < 0 ? removed : changed
    starts[k] = words.starts[word]!
    ends[k] = words.ends[word]!
  }
  const fields = (name: 'before' | 'after', { columns }: Side, there: Uint8Array, rows: Int32Array) => [
    [name, { kind: 'flag', values: there }] as const,
    ...names.map((own) => [`${name}.${own}`, pickOrNull(columns.byName.get(own)!, rows)] as const),
  ]
  return {
    count,
    byName: new Map<string, Column>([
      ['_seq', { kind: 'int', values: seq }],
      ['change', { kind: 'text', bytes: words.bytes, starts, ends }],
      ['key', textsFrom(places.map((i) => after.keyAt[i] ?? before.keyAt[i]!))],
      ...fields('before', before, wasThere, was),
      ...fields('after', after, isThere, is),
    ]),
  }
}
