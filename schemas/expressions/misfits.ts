/** The rows whose value a field cannot hold, each with the reason: no field holds another value in its place. */
import { noDay, wholeAt, type Column, type Wholes } from '../../utilities/values/columns.ts'
import { dayIn, firstMicros, lastMicros } from '../../utilities/values/timestamp.ts'
import type { Target } from './kind.ts'
import { nullsOf, type Bad } from './values.ts'

const [firstDay, lastDay] = [dayIn(firstMicros), dayIn(lastMicros)]

export function misfits(column: Column, target: Target): Bad {
  const bad = new Map<number, string>()
  const nulls = target.nullable ? [] : nullsOf(column)
  for (let row = 0; row < nulls.length; row++) if (nulls[row] === 1) bad.set(row, 'null')
  switch (column.kind) {
    case 'integer':
      outside(column, -(2n ** 63n), 2n ** 63n - 1n, 'beyond 64 bits', bad)
      break
    case 'decimal': {
      const most = 10n ** BigInt(target.digits ?? 0) - 1n
      outside(column, -most, most, `more than ${target.digits} digits`, bad)
      break
    }
    case 'timestamp':
      outside(column, firstMicros, lastMicros, 'not within the years 1 to 9999', bad)
      break
    case 'date':
      for (let row = 0; row < column.days.length; row++) {
        const day = column.days[row]!
        if (day !== noDay && (day < firstDay || day > lastDay)) bad.set(row, 'not within the years 1 to 9999')
      }
      break
    case 'text':
      for (let row = 0; row < column.starts.length; row++)
        if (column.starts[row]! >= 0 && column.ends[row]! - column.starts[row]! > target.bytes!)
          bad.set(row, `longer than ${target.bytes} bytes`)
      break
    default:
  }
  return bad
}

/** Doubles decide but for the rows that are as near to a limit as a double can tell. */
function outside(wholes: Wholes, least: bigint, most: bigint, reason: string, bad: Map<number, string>): void {
  const [from, to] = [Number(least), Number(most)]
  for (let row = 0; row < wholes.values.length; row++) {
    const value = wholes.values[row]!
    if (value > from && value < to) continue
    const whole = wholeAt(wholes, row)
    if (whole !== null && (whole < least || whole > most)) bad.set(row, reason)
  }
}
