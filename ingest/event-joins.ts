/** Makes events: looks up what records refer to in the tables as they will be, and says which are complete, which wait, and which die. */
import { columnsNeeded, joinedFields } from '../schemas/joined.ts'
import type { EventSchema } from '../schemas/event.ts'
import { nullsOf } from '../schemas/expressions/values.ts'
import type { EventJoin } from '../schemas/record.ts'
import { pick, columnOf, type Column, type Columns } from '../utilities/values/columns.ts'
import { keyTexts } from '../utilities/values/key-text.ts'
import { pickOrNull } from '../utilities/values/pick-or-null.ts'
import type { Tables } from '../utilities/tables.ts'

/** A record that waits: for how many milliseconds after it came, at most, and the rows that it looked for; `rowName` names one. */
type WaitingRow = { readonly row: number; readonly untilMs: number; readonly looked: readonly string[] }

/** What came of records, each by its row among those that were given. */
export type MadeEvents = {
  /** The event's fields in order, and `_seq`, which is that row. */
  readonly complete: Columns
  readonly waiting: readonly WaitingRow[]
  /** No event will come of them. */
  readonly dead: readonly { readonly row: number; readonly reason: string }[]
}

/** How long ago each record came, in milliseconds; Infinity where it is to wait no more. */
export type EventMaker = (records: Columns, ages: Float64Array) => MadeEvents

export const rowName = (table: string, key: string): string => `${table} ${key}`

export function eventMaker(event: EventSchema, tables: Pick<Tables, 'find'>): EventMaker {
  const make = joinedFields(event)
  const lookUps = lookUpsOf(event)
  const read = columnsNeeded(event)
  return (records, ages) => {
    const { count } = records
    const byName = new Map(records.byName)
    const found = lookUps.map((one) => lookUp(one, tables, { count, byName }))
    const fate = fates(lookUps, found, ages)
    const isComplete = (row: number) => fate.deadBy[row]! < 0 && fate.untilMs[row] === Infinity
    const rows = Int32Array.from({ length: count }, (_, row) => row)
    const whole = rows.filter(isComplete)
    const needed = read.map((name): [string, Column] => [name, byName.get(name)!])
    const numbers: Column = { kind: 'int', values: Float64Array.from(rows) }
    const { columns, misfits } = make(pick({ count, byName: new Map([...needed, ['_seq', numbers]]) }, whole))
    const dead = misfits.map(({ row, column, reason }) => ({ row: whole[row]!, reason: `${column}: ${reason}, so that ${noEvent(event)}` }))
    const waiting: WaitingRow[] = []
    for (const row of rows) {
      if (isComplete(row)) continue
      const by = fate.deadBy[row]!
      if (by >= 0) dead.push({ row, reason: whyNone(event, lookUps[by]!, found[by]!, row) })
      else waiting.push({ row, untilMs: fate.untilMs[row]!, looked: lookedBy(lookUps, found, row) })
    }
    return { complete: columns, waiting, dead: dead.sort((a, b) => a.row - b.row) }
  }
}

type LookUp = EventJoin & {
  readonly name: string
  /** The columns of its table that fields or joins behind it need. */
  readonly columns: readonly string[]
  /** By their places, the joins before it whose rows give its key. */
  readonly behind: readonly number[]
  /** Those of its columns that the record has itself. */
  readonly own: readonly string[]
}

function lookUpsOf(event: EventSchema): readonly LookUp[] {
  const joins = Object.entries(event.event.join)
  const names = joins.map(([name]) => name)
  const needed = [...new Set([...columnsNeeded(event), ...joins.flatMap(([, { on }]) => on)])]
  return joins.map(([name, join]) => {
    const columns = needed.flatMap((column) => (column.startsWith(`${name}.`) ? [column.slice(name.length + 1)] : []))
    const behind = join.on.flatMap((column) => (column.includes('.') ? [names.indexOf(column.split('.')[0]!)] : []))
    return { ...join, name, columns, behind: [...new Set(behind)], own: join.on.filter((column) => !column.includes('.')) }
  })
}

type Found = {
  /** The key of each row as text, and whether it has one: 0 where a part of it is null. */
  readonly keys: readonly string[]
  readonly asked: Uint8Array
  /** 1 where the row that it refers to is there. */
  readonly there: Uint8Array
  /** 1 where the record itself lacks a part of the key: no row will ever be found. */
  readonly never: Uint8Array
}

/** Puts the columns that it finds beside the others; each key is asked for once. */
function lookUp({ name, table, on, own, columns }: LookUp, tables: Pick<Tables, 'find'>, given: Given): Found {
  const { count, byName } = given
  const [lacks, never] = [on, own].map((names) => anyNull(names, given))
  const keys = keyTexts({ count, byName }, on)
  const asked = lacks!.map((one) => 1 - one)
  const places = new Map<string, number>()
  const firsts: number[] = []
  const placeOf = new Int32Array(count).fill(-1)
  for (let row = 0; row < count; row++) {
    if (asked[row] === 0) continue
    let place = places.get(keys[row]!)
    if (place === undefined) {
      places.set(keys[row]!, (place = firsts.length))
      firsts.push(row)
    }
    placeOf[row] = place
  }
  const wanted = { count, byName: new Map(table.key.map((key, i): [string, Column] => [key, byName.get(on[i]!)!])) }
  const rows = tables.find(table.name, pick(wanted, Int32Array.from(firsts)))
  const rowOf = new Int32Array(firsts.length).fill(-1)
  columnOf(rows, '_seq', 'int').values.forEach((place, row) => (rowOf[place] = row))
  const rowAt = placeOf.map((place) => (place < 0 ? -1 : rowOf[place]!))
  for (const column of columns) byName.set(`${name}.${column}`, pickOrNull(rows.byName.get(column)!, rowAt))
  return { keys, asked, there: Uint8Array.from(rowAt, (row) => (row < 0 ? 0 : 1)), never: never! }
}

type Given = { readonly count: number; readonly byName: Map<string, Column> }

function anyNull(names: readonly string[], { count, byName }: Given): Uint8Array {
  const any = new Uint8Array(count)
  for (const name of names) nullsOf(byName.get(name)!).forEach((one, row) => (any[row]! |= one))
  return any
}

/**
 * A record dies by the first join that it cannot do without and that it has waited for long enough. What is behind a join that is still
 * waited for is not waited for by itself: its key is not known.
 */
function fates(lookUps: readonly LookUp[], found: readonly Found[], ages: Float64Array) {
  const deadBy = new Int32Array(ages.length).fill(-1)
  const untilMs = new Float64Array(ages.length).fill(Infinity)
  const open = lookUps.map(() => new Uint8Array(ages.length))
  for (const [place, { waitMs, optional, behind }] of lookUps.entries()) {
    const { there, never } = found[place]!
    const isOpen = open[place]!
    for (let row = 0; row < ages.length; row++) {
      if (there[row] === 1) continue
      if (behind.some((one) => open[one]![row] === 1)) isOpen[row] = 1
      else if (never[row] === 0 && ages[row]! < waitMs) {
        isOpen[row] = 1
        untilMs[row] = Math.min(untilMs[row]!, waitMs)
      } else if (!optional && deadBy[row]! < 0) deadBy[row] = place
    }
  }
  return { deadBy, untilMs }
}

const lookedBy = (lookUps: readonly LookUp[], found: readonly Found[], row: number): readonly string[] => [
  ...new Set(
    lookUps.flatMap(({ table }, place) => (found[place]!.asked[row] === 1 ? [rowName(table.name, found[place]!.keys[row]!)] : [])),
  ),
]

export const noEvent = ({ name, event }: EventSchema) => `there is no ${name} of this ${event.of.name}`

function whyNone(event: EventSchema, { name, table, on, waitMs }: LookUp, { keys, asked }: Found, row: number): string {
  if (asked[row] === 0) return `${name}: ${on.join(' or ')} is null, so that ${noEvent(event)}`
  const when = waitMs === 0 ? 'there was' : `within ${waitMs} ms there came`
  return `${name}: ${when} no row ${keys[row]} of ${table.name}, so that ${noEvent(event)}`
}
