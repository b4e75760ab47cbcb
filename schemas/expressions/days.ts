/** Arithmetic on dates: the days between two, and a date so many days away. */
import { noDay, putWhole, type DateColumn, type IntegerColumn, type TimestampColumn } from '../../utilities/values/columns.ts'
import { dayMicros } from '../../utilities/values/timestamp.ts'
import { bothBad, type Values } from './values.ts'

/** The days that PostgreSQL has, from 4713 BC to 5874897: dates on the way to a result may lie where no field's can. */
const earliest = -2_440_588
const latest = 2_145_042_905

export function daysBetween(a: Values<DateColumn>, b: Values<DateColumn>): Values<IntegerColumn> {
  const [x, y] = [a.column.days, b.column.days]
  const values = new Float64Array(x.length)
  for (let row = 0; row < x.length; row++) values[row] = x[row] === noDay || y[row] === noDay ? NaN : x[row]! - y[row]!
  return { column: { kind: 'integer', values }, bad: bothBad(a.bad, b.bad) }
}

/** `sign` is -1 for the days before. */
export function daysAway(a: Values<DateColumn>, by: Values<IntegerColumn>, sign: 1 | -1): Values<DateColumn> {
  const from = a.column.days
  const more = by.column.values
  const days = new Int32Array(from.length).fill(noDay)
  const bad = new Map<number, string>()
  for (let row = 0; row < from.length; row++) {
    // PostgreSQL counts days in 32 bits, and minds one that is more also beside a date that is null.
    const day = more[row]! === (more[row]! | 0) ? from[row]! + sign * more[row]! : Infinity
    if (more[row] !== more[row] || (from[row] === noDay && day !== Infinity)) continue
    if (day >= earliest && day <= latest) days[row] = day
    else bad.set(row, 'a date too far away')
  }
  return { column: { kind: 'date', days }, bad: bothBad(bothBad(a.bad, by.bad), bad) }
}

/** The first moment of each day. */
export function asTimestamps({ column, bad }: Values<DateColumn>): Values<TimestampColumn> {
  const values = new Float64Array(column.days.length)
  const wide = new Map<number, bigint>()
  for (const [row, day] of column.days.entries()) {
    if (day === noDay) values[row] = NaN
    else putWhole(values, wide, row, BigInt(day) * BigInt(dayMicros))
  }
  return { column: { kind: 'timestamp', values, ...(wide.size > 0 ? { wide } : {}) }, bad }
}
