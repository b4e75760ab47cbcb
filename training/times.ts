/** When rows happened, when they had come in and when they were computed, in microseconds since 1970. */
import { columnOf, noDay, type Column, type Columns, type LongColumn } from '../utilities/values/columns.ts'
import { dayMicros } from '../utilities/values/timestamp.ts'
import type { SqlType } from '../utilities/warehouse.ts'
import type { Offered, Slots } from './slots.ts'

/** What may be given to a label of a moment. */
export type Rule = {
  /** Only what had come in by then; over facts it is always so. */
  readonly known: boolean
  /** Only rows computed by then, of the version that was promoted then. */
  readonly asServed: boolean
  /** What happened at that very moment comes too late. */
  readonly before: boolean
}

export type RowsOfSet = {
  /** The field that says when it happened. */
  readonly at: string
  readonly atType: SqlType
  readonly facts: boolean
  /** Whether each row says when its record had come in. */
  readonly hasKnown: boolean
}

/** The columns that tell the time of a row. */
export const timeColumns = ({ at, facts, hasKnown }: RowsOfSet, { known, asServed }: Rule): readonly string[] => [
  ...(facts ? [] : [at]),
  ...(facts || (known && hasKnown) ? ['_known_ts'] : []),
  ...(asServed ? ['_modified_ts'] : []),
]

/**
 * What rows are ordered by, and from when on each may be given: whole microseconds, since labels have no finer moments. With the first
 * moment that anything was known of facts.
 */
export function offeredOf(
  of: RowsOfSet,
  rule: Rule,
  rows: Columns,
  keys: Int32Array,
  slots: Slots,
): Offered & { readonly earliest: number } {
  const seqs = columnOf(rows, '_seq', 'int').values
  const known = () => microsFrom(columnOf(rows, '_known_ts', 'long'))
  let earliest = Infinity
  let times: Float64Array
  if (of.facts) {
    times = known()
    for (const time of times) if (time < earliest) earliest = time
    risingWithin(times, keys, slots)
  } else times = eventTimes(rows.byName.get(of.at)!)
  const from = rule.before ? times.map((time) => time + 1) : rule.asServed || rule.known ? times.slice() : times
  const notBefore = (moments: Float64Array) => {
    for (let row = 0; row < from.length; row++) if (moments[row]! > from[row]!) from[row] = moments[row]!
  }
  if (!of.facts && rule.known && of.hasKnown) notBefore(known())
  if (rule.asServed) notBefore(microsFrom(columnOf(rows, '_modified_ts', 'long')))
  return { keys, times, from, seqs, earliest }
}

/** A day is its beginning. */
function eventTimes(column: Column): Float64Array {
  if (column.kind === 'timestamp') return column.values
  if (column.kind !== 'date') throw new TypeError(`a ${column.kind} says when it happened`)
  const { days } = column
  const times = new Float64Array(days.length)
  for (let row = 0; row < days.length; row++) times[row] = days[row] === noDay ? NaN : days[row]! * dayMicros
  return times
}

/** 2^32 nanoseconds are so many microseconds and nanoseconds. */
const [highMicros, highRest] = [4_294_967, 296]

/** The first microsecond that is not before; without bigints, which take ten times as long. */
function microsFrom({ values }: LongColumn): Float64Array {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length)
  const micros = new Float64Array(values.length)
  for (let row = 0; row < micros.length; row++) {
    const high = halves[2 * row + 1]!
    micros[row] = high * highMicros + Math.ceil((high * highRest + (halves[2 * row]! >>> 0)) / 1000)
  }
  return micros
}

/**
 * A row over facts rests on every change of its key before it, and cannot be known before one of them: where clocks differ, or a tick is
 * given late, its time is the latest of theirs. Rows come in the order of `_seq`.
 */
function risingWithin(times: Float64Array, keys: Int32Array, { latest }: Slots): void {
  for (let row = 0; row < times.length; row++) {
    const key = keys[row]!
    if (key < 0) continue
    if (times[row]! > latest[key]!) latest[key] = times[row]!
    else times[row] = latest[key]!
  }
}
