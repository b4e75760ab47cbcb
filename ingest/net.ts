/**
 * What pieces of one batch of messages come to for a table: of each key the last that was said. Values that were not sent are those that
 * the row had before, in the batch or in the table.
 */
import { keysOf } from '../feature-defs/keys.ts'
import { says, type Changes } from '../schemas/foreign/changes.ts'
import type { Table } from '../schemas/record.ts'
import { columnOf, nullColumn, type Column, type Columns } from '../utilities/values/columns.ts'
import { mixed } from '../utilities/values/mixed.ts'
import { pickOrNull } from '../utilities/values/pick-or-null.ts'
import { compare } from './newest.ts'
import type { Piece } from './pieces.ts'

/** Both with `_known`, in nanoseconds. */
export type Net = { readonly rows: Columns; readonly gone: Columns }

type Row = {
  readonly row: number
  readonly known: number
  readonly unsent: readonly string[]
  readonly before: Row | Gone | undefined
  /** Which of those that are gone it was before: its key has changed. */
  readonly was?: number
}
type Gone = { readonly gone: number; readonly known: number }

const isRow = (one: Row | Gone): one is Row => 'row' in one

/** Of one batch, in order. `find` gives the rows of these keys as the table has them, with `_seq` as the place of the key. */
export function netOf(table: Table, pieces: readonly Piece[], find: (keys: Columns) => Columns): Net {
  const { changes, messages, repeated } = pieces[0]!
  const last = new Map<string, Row | Gone>()
  let left: { readonly message: number; readonly was: number; readonly before: Row | Gone | undefined } | undefined
  /** A row that left under another key with the same change. */
  const movedBy = (message: number) => {
    if (!left) return undefined
    const [from, to] = [changes.origins[left.message]?.place, changes.origins[message]?.place]
    return left.message === message || (from && to && compare(from, to) === 0) ? left : undefined
  }
  const [rowKeys, goneKeys] = [keysOf(changes.rows, table.key), keysOf(changes.gone, table.key)]
  for (const { from, to } of pieces) {
    let [row, gone] = [firstFrom(changes.put, from), firstFrom(changes.goneBy, from)]
    for (let message = from; message < to; message++) {
      const said = changes.said[message]
      const counts = repeated[message] === 0
      const known = messages.times[message]!
      // A row that moves to another key is gone under the old one first.
      if (changes.goneBy[gone] === message) {
        if (counts) {
          left = { message, was: gone, before: last.get(goneKeys[gone]!) }
          last.set(goneKeys[gone]!, { gone, known })
        }
        gone++
      }
      if (said === says.put) {
        const unsent = changes.unsent.get(row) ?? []
        const key = rowKeys[row]!
        const moved = counts && unsent.length > 0 ? movedBy(message) : undefined
        const before = moved ? moved.before : unsent.length > 0 ? last.get(key) : undefined
        if (counts) last.set(key, { row, known, unsent, before, ...(moved && { was: moved.was }) })
        row++
      }
    }
  }
  const put: Row[] = []
  const leaving: Gone[] = []
  for (const one of last.values())
    if (isRow(one)) put.push(one)
    else leaving.push(one)
  const gone = chosen(
    changes.gone,
    leaving.map((one) => one.gone),
  )
  return { rows: withKnown(completed(table, changes, put, find), put), gone: withKnown(gone, leaving) }
}

/** Of rising numbers, the place of the first that is not below. */
function firstFrom(numbers: Int32Array, from: number): number {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (numbers[middle]! < from) low = middle + 1
    else high = middle
  }
  return low
}

const chosen = ({ byName }: Columns, rows: readonly number[]): Columns => {
  const some = Int32Array.from(rows)
  return { count: some.length, byName: new Map([...byName].map(([name, column]) => [name, pickOrNull(column, some)])) }
}

export const nanosOf = (millis: number): bigint => BigInt(Math.round(millis * 1000)) * 1000n

const withKnown = ({ count, byName }: Columns, ones: readonly { readonly known: number }[]): Columns => {
  const values = new BigInt64Array(ones.length)
  for (let i = 0; i < values.length; i++) values[i] = nanosOf(ones[i]!.known)
  return { count, byName: new Map<string, Column>([...byName, ['_known', { kind: 'long', values }]]) }
}

function completed(
  { key, fields }: Table,
  { rows, gone }: Pick<Changes, 'rows' | 'gone'>,
  put: readonly Row[],
  find: (keys: Columns) => Columns,
): Columns {
  const own = put.map(({ row }) => row)
  const lacking = put.filter(({ unsent }) => unsent.length > 0)
  const all = chosen(rows, own)
  if (lacking.length === 0) return all
  // The table has it under the key that it had before all of these messages.
  const firsts = lacking.map((one) => chainOf(one).at(-1)!)
  const which = Uint8Array.from(firsts, ({ was }) => (was === undefined ? 0 : 1))
  const at = Int32Array.from(firsts, ({ row, was }) => was ?? row)
  const keyOf = (name: string) => mixed([rows.byName.get(name)!, gone.byName.get(name)!], { which, rows: at })
  const stored = find({ count: lacking.length, byName: new Map(key.map((name) => [name, keyOf(name)])) })
  const storedAt = new Map(Array.from(columnOf(stored, '_seq', 'int').values, (place, i) => [lacking[place]!, i]))
  const [ofBatch, ofTable, ofNothing] = [0, 1, 2]
  const lyingAt = (one: Row, name: string): readonly [number, number] => {
    let before: Row | Gone | undefined = one
    while (before && isRow(before)) {
      if (!before.unsent.includes(name)) return [ofBatch, before.row]
      before = before.before
    }
    const at = before ? undefined : storedAt.get(one)
    // It was gone before, or never there: there is nothing that it had.
    return at === undefined ? [ofNothing, 0] : [ofTable, at]
  }
  const unsent = new Set(lacking.flatMap((one) => chainOf(one).flatMap((some) => some.unsent)))
  const byName = new Map(all.byName)
  for (const name of unsent) {
    const places = put.map((one) => lyingAt(one, name))
    const sources = [rows.byName.get(name)!, stored.byName.get(name)!, nullColumn(fields[name]!, 1)]
    byName.set(
      name,
      mixed(sources, { which: Uint8Array.from(places, ([which]) => which), rows: Int32Array.from(places, ([, row]) => row) }),
    )
  }
  return { count: put.length, byName }
}

function chainOf(one: Row): readonly Row[] {
  const chain: Row[] = []
  let row: Row | Gone | undefined = one
  while (row && isRow(row)) {
    chain.push(row)
    row = row.before
  }
  return chain
}
