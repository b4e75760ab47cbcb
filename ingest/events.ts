/**
 * Events as their records come and as the rows change that they wait for. Whoever calls commits what is saved together with what is
 * complete and what is dead, so that a record is in one of these places, whatever is killed.
 */
import type { EventSchema } from '../schemas/event.ts'
import type { Stream } from '../streams/stream.ts'
import type { Checkpoints, Save } from '../utilities/checkpoints.ts'
import type { Tables } from '../utilities/tables.ts'
import { columnOf, nullColumn, type Column, type Columns } from '../utilities/values/columns.ts'
import { keyTexts } from '../utilities/values/key-text.ts'
import { mixed } from '../utilities/values/mixed.ts'
import { eventMaker, noEvent, type MadeEvents } from './event-joins.ts'
import { cameFrom, waitingEntries, type Arrived, type CameFrom } from './waiting-entry.ts'
import { waitingRecords, type Room } from './waiting.ts'

export type DeadEvent = CameFrom & { readonly reason: string }

/** What became of records. */
export type Events = {
  /** Complete: the event's fields in order, and `_seq`, which counts them from 0 on. */
  readonly columns: Columns
  /** When the record of each became known, in nanoseconds. */
  readonly known: BigInt64Array
  readonly dead: readonly DeadEvent[]
  /** Of records that wait from now on, or wait no more. */
  readonly saves: readonly Save[]
}

export type EventsOfStream = {
  /** Records that came, in order: each is complete, waits or dies. */
  take(arrived: Arrived, nowMs: number): Events
  /** The rows of these keys, in columns of the table's names, have changed, or will have with what is staged. */
  changed(table: string, keys: Columns): void
  /** Tables may have changed without a word: by somebody else, while this one did not write. */
  allChanged(): void
  /** Some of those that wait and are to be looked at again; not all of them where there are `more`. */
  again(nowMs: number): Events & { readonly more: boolean }
  /** When one of them is to be looked at again, in milliseconds since 1970: 0 for now, Infinity for never. */
  nextMs(): number
  /** How many wait. */
  count(): number
}

type Options = Partial<Room> & {
  /** An entry of more bytes fits into no commit. */
  readonly largest?: number
  /** How many are looked at again at once. */
  readonly atOnce?: number
}

type Of = { readonly event: EventSchema; readonly stream: Stream }

export const waitingPrefix = 'waiting/'

export const waitingName = ({ name }: Pick<Stream, 'name'>): string => `${waitingPrefix}${name}`

/** With the records that wait as of the last commit. */
export const openEvents = async (checkpoints: Checkpoints, of: Of, tables: Pick<Tables, 'find'>, options?: Options) =>
  eventsOf(of, tables, await checkpoints.load(waitingName(of.stream)), options)

export function eventsOf(
  { event, stream }: Of,
  tables: Pick<Tables, 'find'>,
  saved: ReadonlyMap<string, Uint8Array>,
  { most = 100_000, mostBytes = 64 * 1024 * 1024, largest = 900_000, atOnce = 20_000 }: Options = {},
): EventsOfStream {
  const make = eventMaker(event, tables)
  const entries = waitingEntries(event)
  const keyOf = new Map(Object.values(event.event.join).map(({ table }) => [table.name, table.key]))
  const waiting = waitingRecords(saved, { most, mostBytes })
  const save = (number: number, value: Uint8Array | null): Save => ({ name: waitingName(stream), key: String(number), value })

  /** What becomes of these, at those ages. Those that wait on do so for what they looked for now. */
  const lookAgain = (numbers: readonly number[], ageOf: (came: number) => number): Again => {
    const { kept, places } = entries.read(numbers.map(waiting.valueOf))
    const made = make(kept.records, kept.came.map(ageOf))
    const numberOf = (row: number) => numbers[places[row]!]!
    const stay = new Set<number>()
    for (const { row, untilMs, looked } of made.waiting) {
      waiting.waitOn(numberOf(row), { untilMs: kept.came[row]! + untilMs, looked })
      stay.add(numberOf(row))
    }
    const readable = new Set(places)
    const lost = numbers
      .filter((_, place) => !readable.has(place))
      .map((number): DeadEvent => {
        const reason = `a record that waited cannot be read, so that ${noEvent(event)}`
        return { topic: null, partition: 0, offset: -1, bytes: waiting.valueOf(number), reason }
      })
    const gone = numbers.filter((number) => !stay.has(number))
    gone.forEach(waiting.remove)
    const dead = made.dead.map(({ row, reason }) => ({ ...kept.from(row), reason }))
    return { ...completeOf(made, kept.known), dead: [...lost, ...dead], gone }
  }

  return {
    take(arrived, nowMs) {
      const made = make(arrived.records, new Float64Array(arrived.records.count))
      const deadOf = (row: number, reason: string): DeadEvent => ({ ...cameFrom(arrived, row), reason })
      const dead = made.dead.map(({ row, reason }) => deadOf(row, reason))
      const saves = new Map<number, Save>()
      const rows = Int32Array.from(made.waiting, ({ row }) => row)
      const values = rows.length === 0 ? [] : entries.write(arrived, rows, nowMs)
      for (const [i, { row, untilMs, looked }] of made.waiting.entries()) {
        const value = values[i]!
        if (value.length > largest) {
          const size = `it has ${value.length} bytes, and one that has to wait ${largest} at most`
          dead.push(deadOf(row, `${size}, so that ${noEvent(event)}`))
          continue
        }
        const number = waiting.add(value, { untilMs: nowMs + untilMs, looked })
        saves.set(number, save(number, value))
      }
      const crowd = waiting.crowd()
      const complete = completeOf(made, arrived.known)
      if (crowd.length === 0) return { ...complete, dead, saves: [...saves.values()] }
      const old = lookAgain(crowd, () => Infinity)
      for (const number of crowd) if (!saves.delete(number)) saves.set(number, save(number, null))
      const crowded = old.dead.map((one) => ({ ...one, reason: `${one.reason}: too many wait, and it has waited longest` }))
      return { ...behind(old, complete), dead: [...crowded, ...dead], saves: [...saves.values()] }
    },

    changed(table, keys) {
      const key = keyOf.get(table)
      if (key !== undefined && waiting.count() > 0) waiting.changed(table, keyTexts(keys, key))
    },

    again(nowMs) {
      const { numbers, more } = waiting.due(nowMs, atOnce)
      if (numbers.length === 0) return { ...noneOf(event), dead: [], saves: [], more }
      const { gone, ...found } = lookAgain(numbers, (came) => nowMs - came)
      return { ...found, saves: gone.map((number) => save(number, null)), more }
    },

    allChanged: waiting.allChanged,
    nextMs: waiting.nextMs,
    count: waiting.count,
  }
}

type Complete = Pick<Events, 'columns' | 'known'>
type Again = Omit<Events, 'saves'> & { readonly gone: readonly number[] }

function completeOf({ complete }: MadeEvents, known: BigInt64Array): Complete {
  const rows = columnOf(complete, '_seq', 'int').values
  return counted({ columns: complete, known: BigInt64Array.from(rows, (row) => known[row]!) })
}

function counted({ columns: { count, byName }, known }: Complete): Complete {
  const numbers: Column = { kind: 'int', values: Float64Array.from({ length: count }, (_, row) => row) }
  return { columns: { count, byName: new Map([...byName, ['_seq', numbers]]) }, known }
}

const noneOf = ({ fields }: EventSchema): Complete =>
  counted({
    columns: { count: 0, byName: new Map(Object.entries(fields).map(([name, field]) => [name, nullColumn(field, 0)])) },
    known: new BigInt64Array(0),
  })

/** The one, and the other behind it. */
function behind(one: Complete, other: Complete): Complete {
  if (one.columns.count === 0 || other.columns.count === 0) return one.columns.count === 0 ? other : one
  const first = one.columns.count
  const which = new Uint8Array(first + other.columns.count).fill(1, first)
  const rows = Int32Array.from(which, (source, row) => (source === 0 ? row : row - first))
  const both = [...one.columns.byName].map(([name, column]): [string, Column] => [
    name,
    mixed([column, other.columns.byName.get(name)!], { which, rows }),
  ])
  const known = new BigInt64Array(which.length)
  known.set(one.known)
  known.set(other.known, first)
  return counted({ columns: { count: which.length, byName: new Map(both) }, known })
}
