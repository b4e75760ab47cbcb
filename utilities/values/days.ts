/** The day that each record happened on, whether its field is a date or a timestamp. */
import { noDay, type Columns, type TimestampColumn } from './columns.ts'
import { dayIn } from './timestamp.ts'

/** Days since 1970-01-01 in UTC, of the field that says when it happened. */
export function daysOf({ byName }: Columns, at: string): Int32Array {
  const column = byName.get(at)
  if (column?.kind === 'date') return column.days
  if (column?.kind === 'timestamp') return daysIn(column)
  throw new TypeError(`column ${at} is ${column?.kind ?? 'missing'}, not date or timestamp`)
}

function daysIn({ values, wide }: TimestampColumn): Int32Array {
  const days = new Int32Array(values.length)
  for (let row = 0; row < days.length; row++) {
    const micros = values[row]!
    // The double nearest to a moment far off may lie beyond midnight.
    days[row] = micros === micros ? dayIn((Number.isSafeInteger(micros) ? undefined : wide?.get(row)) ?? micros) : noDay
  }
  return days
}
