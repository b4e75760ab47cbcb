/**
 * Rows that are joined, in both states at once: each table is read once for a part of a list, and of it each row that is referred to once,
 * however many refer to it. Written for speed: its plain twin is the SQL that joins (`listed.ts`, and `known` of lists.ts), which it leaves
 * the keys to that lie in one table otherwise than in the other; the benchmark is bench/table-changes.ts.
 */
import type { Column, Columns } from '../../values/columns.ts'
import { pickOrNull } from '../../values/pick-or-null.ts'
import type { Both, Joined, Listed, StoredTable } from '../../tables.ts'
import type { Sqlite } from '../database.ts'
import type { Value } from '../fill.ts'
import { keysAs } from './asked.ts'
import { cellsOf, columnFrom, quoted, sqlType, type Cells } from './columns.ts'
import { columnAt, gone, knownAt, own, placeOf, rowsOf, stagedOf, type Lies } from './joins.ts'

/** In front of the columns that are read: which was asked for, where it lies, when it became known. */
const [asked, lying, told] = [0, 1, 2]
const ours = 3
const lyingGone = 2

/** What was found of a table. By the number of what was asked for, the row among the cells: one that stands, and one that is staged. */
type Found = {
  readonly columns: readonly string[]
  readonly cells: Cells
  readonly stood: Int32Array
  readonly staged: Int32Array
}

/** Of each place, the row among the cells in one state and in the other: -1 where there is none. */
type Rows = Found & { readonly before: Int32Array; readonly after: Int32Array }

/** Where all keys lie as those that they must equal do: an expression of JSON is compared as the column is. */
export const canRead = (joined: Joined): boolean =>
  Object.values(joined.join).every(({ table, on }) =>
    on.every((column, i) => {
      const type = sqlType(columnAt(joined, column))
      return type !== 'REAL' && type === sqlType(table.fields[table.key[i]!]!)
    }),
  )

/** Undefined where a text has what JSON does not carry over, or a moment is finer than microseconds. */
export function both(
  db: Sqlite,
  joined: Joined,
  lies: (table: StoredTable) => Lies,
  listed: Listed,
  from: number,
  to: number,
): Both | undefined {
  const { of, join, wanted } = joined
  const count = to - from
  const neededOf = (alias: string) => [
    ...new Set(
      [...wanted, ...Object.values(join).flatMap(({ on }) => on)].flatMap((column) => {
        const place = placeOf(column)
        return place.alias === alias ? [place.name] : []
      }),
    ),
  ]
  const aliases = new Map<string, Rows>()
  const known = new Float64Array(count)
  const [isBefore, isAfter] = [new Uint8Array(count), new Uint8Array(count)]
  {
    const found = find(db, of, lies(of), neededOf(own), count, {
      from: `temp.${listed} l`,
      number: `l.n - 1 - ${from}`,
      keys: keysAs(of).map((name) => `l.${name}`),
      where: 'l.n > ?1 AND l.n <= ?2',
      known: 'l.known',
      args: [from, to],
    })
    const after = new Int32Array(count)
    for (let i = 0; i < count; i++) after[i] = found.staged[i]! >= 0 ? found.staged[i]! : found.stood[i]!
    for (let i = 0; i < count; i++) {
      isBefore[i] = found.stood[i]! >= 0 ? 1 : 0
      isAfter[i] = after[i]! >= 0 && !isGone(found, after[i]!) ? 1 : 0
    }
    for (const { [asked]: place, [told]: moment } of found.cells) {
      if (Number(moment) < 0) return undefined
      known[Number(place)] = Math.max(known[Number(place)]!, Number(moment))
    }
    aliases.set(own, { ...found, before: found.stood, after })
  }
  for (const [name, { table, on, optional }] of Object.entries(join)) {
    const keys = askedKeys(
      on.map((column) => {
        const { alias, name: ownName } = placeOf(column)
        const { columns, cells, before, after } = aliases.get(alias)!
        return { cells, at: columns.indexOf(ownName) + ours, before, after }
      }),
      count,
    )
    const json = `[${keys.texts.join()}]`
    if (json.includes('\\u0000')) return undefined
    const found = find(db, table, lies(table), neededOf(name), keys.texts.length, {
      from: 'json_each(?1) l',
      number: 'l.key',
      keys: table.key.map((_, i) => (table.key.length === 1 ? 'l.value' : `l.value ->> ${i}`)),
      where: 'TRUE',
      known: 'NULL',
      args: [json],
    })
    const [before, after] = [new Int32Array(count), new Int32Array(count)]
    for (let i = 0; i < count; i++) {
      const [old, now] = [keys.before[i]!, keys.after[i]!]
      before[i] = old < 0 ? -1 : found.stood[old]!
      let row = now < 0 ? -1 : found.staged[now]!
      if (row < 0) row = now < 0 ? -1 : found.stood[now]!
      else {
        const moment = Number(found.cells[row]![told])
        if (moment < 0) return undefined
        if (moment > known[i]!) known[i] = moment
        if (isGone(found, row)) row = -1
      }
      after[i] = row
      if (optional) continue
      if (before[i]! < 0) isBefore[i] = 0
      if (row < 0) isAfter[i] = 0
    }
    aliases.set(name, { ...found, before, after })
  }
  const columnsIn = new Map<string, Column>()
  const columnOf = (column: string): Column => {
    const { alias, name } = placeOf(column)
    const { columns, cells } = aliases.get(alias)!
    const one = columnsIn.get(column) ?? columnFrom(columnAt(joined, column), cells, columns.indexOf(name) + ours)
    columnsIn.set(column, one)
    return one
  }
  const inState = (state: 'before' | 'after', isThere: Uint8Array): Columns => {
    const places = placesOf(isThere)
    const rows = new Map([...aliases].map(([alias, { [state]: all }]) => [alias, places.map((place) => all[place]!)]))
    return {
      count: places.length,
      byName: new Map<string, Column>([
        ['_seq', { kind: 'int', values: new Float64Array(places).map((place) => from + place) }],
        ...wanted.map((column) => [column, pickOrNull(columnOf(column), rows.get(placeOf(column).alias)!)] as const),
      ]),
    }
  }
  const moments = new BigInt64Array(count)
  for (let i = 0; i < count; i++) moments[i] = BigInt(known[i]!) * 1000n
  return { before: inState('before', isBefore), after: inState('after', isAfter), known: moments }
}

const isGone = ({ cells }: Found, row: number): boolean => Number(cells[row]![lying]) === lyingGone

function placesOf(isThere: Uint8Array): Int32Array {
  const places = new Int32Array(isThere.length)
  let count = 0
  for (let i = 0; i < isThere.length; i++) if (isThere[i] === 1) places[count++] = i
  return places.slice(0, count)
}

type Asked = {
  readonly from: string
  /** Which of them it is, counted from 0. */
  readonly number: string
  readonly keys: readonly string[]
  readonly where: string
  readonly known: string
  readonly args: readonly Value[]
}

function find(db: Sqlite, table: StoredTable, lie: Lies, columns: readonly string[], count: number, what: Asked): Found {
  const listed = columns.map((name) => `, t.${quoted(name)}`).join('')
  const equal = table.key.map((name, i) => `t.${quoted(name)} = ${what.keys[i]!}`).join(' AND ')
  const half = (name: string, lies: string, known: string) =>
    `SELECT ${what.number}, ${lies}, CASE WHEN ${known} % 1000 = 0 THEN ${known} / 1000 ELSE -1 END${listed} ` +
    `FROM ${what.from} CROSS JOIN ${name} t ON ${equal} WHERE ${what.where}`
  const halves = [
    ...(lie === 'staged' ? [] : [half(rowsOf(table), '0', `coalesce(${what.known}, 0)`)]),
    ...(lie === 'rows' ? [] : [half(stagedOf(table), `1 + t.${gone}`, `max(coalesce(${what.known}, 0), coalesce(t.${knownAt}, 0))`)]),
  ]
  const cells = cellsOf(db, halves.join(' UNION ALL '), what.args)
  const [stood, staged] = [new Int32Array(count).fill(-1), new Int32Array(count).fill(-1)]
  for (let row = 0; row < cells.length; row++) {
    const one = cells[row]!
    const rows = Number(one[lying]) === 0 ? stood : staged
    rows[Number(one[asked])] = row
  }
  return { columns, cells, stood, staged }
}

/** A column of a key: where its values lie. */
type KeyCells = { readonly cells: Cells; readonly at: number; readonly before: Int32Array; readonly after: Int32Array }

/** Each key once, in JSON, and of each place which of them it has in one state and in the other: -1 where it has none. */
function askedKeys(key: readonly KeyCells[], count: number) {
  const texts: string[] = []
  const numbers = new Map<Value, number>()
  const [only] = key as [KeyCells]
  let [last, lastNumber] = [null as Value, -1]
  const numberOf = (value: Value): number => {
    if (value === null) return -1
    if (value === last) return lastNumber
    let number = numbers.get(value)
    if (number === undefined) {
      number = texts.length
      numbers.set(value, number)
      texts.push(key.length === 1 ? jsonOf(value) : String(value))
    }
    ;[last, lastNumber] = [value, number]
    return number
  }
  const valueAt = ({ cells, at }: KeyCells, row: number): Value => (row < 0 ? null : cells[row]![at]!)
  const keyAt = (state: 'before' | 'after', place: number): Value => {
    if (key.length === 1) return valueAt(only, only[state][place]!)
    const values = key.map((one) => valueAt(one, one[state][place]!))
    return values.includes(null) ? null : `[${values.map(jsonOf).join()}]`
  }
  const [before, after] = [new Int32Array(count), new Int32Array(count)]
  for (let place = 0; place < count; place++) {
    before[place] = numberOf(keyAt('before', place))
    const isSame = key.every((one) => one.before[place] === one.after[place])
    after[place] = isSame ? before[place]! : numberOf(keyAt('after', place))
  }
  return { texts, before, after }
}

const jsonOf = (value: Value): string => (typeof value === 'string' ? JSON.stringify(value) : String(value))
