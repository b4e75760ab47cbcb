/** Moments as files write them: ISO 8601 always, and one of some other forms where the source says so. */
import { dayMicros } from '../../utilities/values/timestamp.ts'
import { noDay, putWhole } from '../../utilities/values/columns.ts'
import { Problem } from '../../utilities/values/problem.ts'
import { amiss } from './amiss.ts'
import { colon, minus, plus, point, space, upperT, upperZ, zero } from './bytes.ts'
import { dateAt, dateFormOf, type DateForm } from './dates.ts'

/** The date is written otherwise, or it is a count of such parts of a second since 1970. */
export type TimestampForm = { readonly name: string; readonly date?: DateForm; readonly micros?: number }

const counts: Readonly<Record<string, number>> = { seconds: 1_000_000, milliseconds: 1000, microseconds: 1 }
const time = ' hh:mm:ss'

export function timestampFormOf(name: string): TimestampForm {
  const micros = counts[name]
  if (micros !== undefined) return { name, micros }
  if (name.endsWith(time)) return { name, date: dateFormOf(name.slice(0, -time.length)) }
  throw new Problem(
    `${JSON.stringify(name)} is no form of timestamps`,
    `Use a form of dates and${time}, such as "DD/MM/YYYY${time}", or one of ${Object.keys(counts).join(', ')} since 1970. ` +
      'ISO 8601 is always read.',
    { usage: true },
  )
}

/** From the years 1 to 9999. */
const firstMicros = -62_135_596_800_000_000
const pastMicros = 253_402_300_800_000_000
/** Beyond it, a moment of that day may not be a whole number that a double holds for certain. */
const safeDays = 100_000

const days = new Int32Array(1)

/**
 * YYYY-MM-DD, T or a space, hh:mm, then :ss with up to six digits of a fraction, then Z, ±hh or ±hh:mm, or none for UTC. Where it ends, or
 * what is amiss; the place where it begins where nothing of the kind is there.
 */
export function timestampAt(
  form: TimestampForm | undefined,
  bytes: Uint8Array,
  from: number,
  values: Float64Array,
  wide: Map<number, bigint>,
  row: number,
): number {
  let at = dateAt(form?.date, bytes, from, days, 0)
  if (at < 0) return form?.micros === undefined ? from : countAt(form.micros, bytes, from, values, wide, row)
  if (bytes[at] !== upperT && bytes[at] !== space) return from
  const day = days[0]!
  const hour = twoAt(bytes, ++at)
  const minute = twoAt(bytes, at + 3)
  if (hour < 0 || minute < 0 || bytes[at + 2] !== colon) return from
  at += 5
  let second = 0
  let fraction = 0
  if (bytes[at] === colon) {
    second = twoAt(bytes, at + 1)
    if (second < 0) return from
    at += 3
    if (bytes[at] === point) {
      const start = ++at
      let digits = 0
      for (; (bytes[at]! - zero) >>> 0 <= 9; at++) {
        if (digits < 6) fraction = fraction * 10 + bytes[at]! - zero
        // Zeros behind the microseconds change nothing.
        else if (bytes[at] !== zero) return amiss.fraction
        digits++
      }
      if (at === start) return from
      for (; digits < 6; digits++) fraction *= 10
    }
  }
  let offset = 0
  const sign = bytes[at]
  if (sign === upperZ) at++
  else if (sign === plus || sign === minus) {
    const hours = twoAt(bytes, at + 1)
    if (hours < 0) return from
    at += 3
    let minutes = 0
    if (bytes[at] === colon) {
      minutes = twoAt(bytes, at + 1)
      if (minutes < 0) return from
      at += 3
    }
    if (hours > 23 || minutes > 59) return amiss.time
    offset = (hours * 60 + minutes) * (sign === minus ? -60 : 60)
  }
  if (day === noDay) return amiss.day
  if (hour > 23 || minute > 59 || second > 59) return amiss.time
  const rest = (hour * 3600 + minute * 60 + second - offset) * 1_000_000 + fraction
  return put(day, rest, at, values, wide, row)
}

function put(day: number, rest: number, end: number, values: Float64Array, wide: Map<number, bigint>, row: number): number {
  const micros = day * dayMicros + rest
  if (day < safeDays && day > -safeDays) {
    values[row] = micros
    if (wide.size > 0) wide.delete(row)
    return end
  }
  const exact = BigInt(day) * BigInt(dayMicros) + BigInt(rest)
  if (exact < BigInt(firstMicros) || exact >= BigInt(pastMicros)) return amiss.years
  wide.delete(row)
  putWhole(values, wide, row, exact)
  return end
}

/** A whole number of so many microseconds. */
function countAt(micros: number, bytes: Uint8Array, from: number, values: Float64Array, wide: Map<number, bigint>, row: number): number {
  let at = from
  const negative = bytes[at] === minus
  if (negative) at++
  const start = at
  let count = 0
  while ((bytes[at]! - zero) >>> 0 <= 9) count = count * 10 + bytes[at++]! - zero
  if (at === start) return from
  if (at - start > 18) return amiss.years
  wide.delete(row)
  const value = count * micros
  if (Number.isSafeInteger(value)) {
    values[row] = (negative ? -value : value) + 0
    return at
  }
  const digits = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice(start, at)
  const exact = BigInt(digits) * BigInt(negative ? -micros : micros)
  if (exact < BigInt(firstMicros) || exact >= BigInt(pastMicros)) return amiss.years
  putWhole(values, wide, row, exact)
  return at
}

/** Two digits as a number, -1 where they are something else. */
function twoAt(bytes: Uint8Array, at: number): number {
  const a = bytes[at]! - zero
  const b = bytes[at + 1]! - zero
  return a >>> 0 <= 9 && b >>> 0 <= 9 ? a * 10 + b : -1
}
