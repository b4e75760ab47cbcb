/** Days and moments as they are sent: as a text, or as a number of days or parts of a second since 1970. */
import { noDay, putWhole } from '../../utilities/values/columns.ts'
import { dayMicros, firstMicros, lastMicros } from '../../utilities/values/timestamp.ts'
import { amiss } from '../csv/amiss.ts'
import { minus, upperZ, zero } from '../csv/bytes.ts'
import { dateAt } from '../csv/dates.ts'
import { timestampAt } from '../csv/timestamps.ts'
import { nine } from './bytes.ts'
import type { DraftColumn } from './draft.ts'
import { exactWhole } from './exact.ts'
import { misfits } from './misfit.ts'
import { sentAs, type Found } from './scan.ts'
import type { SentType } from './sent.ts'

/** 0001-01-01 and 9999-12-31. */
const firstDay = -719_162
const lastDay = 2_932_896

export function putDate({ days }: DraftColumn, row: number, found: Found, slot: number, type: SentType | undefined): string | undefined {
  const { bytes, kinds, starts, ends } = found
  const [from, to] = [starts[slot]!, ends[slot]!]
  if (type?.is === 'moment') return misfits.momentForDate
  if (type?.is === 'time') return misfits.timeForDate
  if (kinds[slot] === sentAs.number) {
    const value = numberSent(bytes, from, to)
    if (typeof value === 'string' || value === undefined) return value === 'large' ? misfits.years : misfits.date
    if (value < firstDay || value > lastDay) return misfits.years
    days[row] = Number(value)
    return undefined
  }
  if (kinds[slot] !== sentAs.text) return misfits.date
  const end = dateAt(undefined, bytes, from, days, row)
  if (end !== to && !(end === to - 1 && bytes[end] === upperZ))
    return end > from && end < to && isMoment(bytes, from, to) ? misfits.momentForDate : misfits.date
  return days[row] === noDay ? misfits.realDay : undefined
}

const scratch = { values: new Float64Array(1), wide: new Map<number, bigint>() }
const isMoment = (bytes: Buffer, from: number, to: number) =>
  timestampAt(undefined, withoutFineFraction(bytes, from, to), 0, scratch.values, scratch.wide, 0) !== 0

export function putMoment(column: DraftColumn, row: number, found: Found, slot: number, type: SentType | undefined): string | undefined {
  const { bytes, kinds, starts, ends } = found
  const { numbers, wide, of } = column
  const [from, to] = [starts[slot]!, ends[slot]!]
  if (type?.is === 'time') return misfits.timeForTimestamp
  if (kinds[slot] === sentAs.number) {
    const value = numberSent(bytes, from, to)
    if (typeof value === 'string') return value === 'large' ? misfits.years : misfits.timestamp
    if (value === undefined) return misfits.timestamp
    const unit = type?.is === 'moment' ? type.unit : type?.is === 'day' ? 'days' : (of.timestamps ?? unitBySize(value))
    if (unit === undefined) return 'is too small to tell milliseconds from microseconds: say "timestamps" of the source in the config file'
    if (unit === 'infinity') return misfits.years
    return putMicros(column, row, microsOf(value, unit))
  }
  if (kinds[slot] !== sentAs.text) return misfits.timestamp
  let end = timestampAt(undefined, bytes, from, numbers, wide, row)
  if (end === to && to > from) return undefined
  if (end === amiss.fraction) {
    const text = withoutFineFraction(bytes, from, to)
    end = timestampAt(undefined, text, 0, numbers, wide, row)
    if (end === text.length - 1) return undefined
  }
  if (end === amiss.day) return misfits.realDay
  if (end === amiss.time) return misfits.timeOfDay
  return end === amiss.years ? misfits.years : misfits.timestamp
}

/** A number holds all digits of one within 2^53. */
function numberSent(bytes: Buffer, from: number, to: number): number | bigint | 'fine' | 'large' | undefined {
  let at = from
  const negative = bytes[at] === minus
  if (negative) at++
  let value = 0
  if (to - at <= 16) {
    for (let c = bytes[at]!; at < to && c >= zero && c <= nine; c = bytes[++at]!) value = value * 10 + c - zero
    if (at === to && value <= Number.MAX_SAFE_INTEGER) return negative ? -value : value
  }
  return exactWhole(bytes.latin1Slice(from, to), 0)
}

/** What PostgreSQL's driver makes of infinity, as Debezium sends it in one unit or the other. */
const infinities = new Set(['9223372036825200000', '-9223372036832400000', '9223372036825200', '-9223372036832400'])

type Unit = 'nanoseconds' | 'microseconds' | 'milliseconds' | 'days'

/** Of moments from 1973 to 5138 it tells all three apart. */
function unitBySize(value: number | bigint): Unit | 'infinity' | undefined {
  const size = value < 0 ? -Number(value) : Number(value)
  if (size > 9_000_000_000_000_000 && infinities.has(String(value))) return 'infinity'
  if (size >= 1e17) return 'nanoseconds'
  if (size >= 1e14) return 'microseconds'
  return size >= 1e11 || size === 0 ? 'milliseconds' : undefined
}

function microsOf(value: number | bigint, unit: Unit): number | bigint {
  if (unit === 'microseconds') return value
  if (unit === 'nanoseconds') {
    const exact = BigInt(value)
    // Towards the past, also before 1970.
    return (exact - (((exact % 1000n) + 1000n) % 1000n)) / 1000n
  }
  const micros = unit === 'days' ? dayMicros : 1000
  const product = Number(value) * micros
  return typeof value === 'number' && Number.isSafeInteger(product) ? product : BigInt(value) * BigInt(micros)
}

function putMicros({ numbers, wide }: DraftColumn, row: number, micros: number | bigint): string | undefined {
  if (micros < firstMicros || micros > lastMicros) return misfits.years
  if (wide.size > 0) wide.delete(row)
  if (typeof micros === 'number') numbers[row] = micros + 0
  else putWhole(numbers, wide, row, micros)
  return undefined
}

/** The text with no more than six digits of a second, and an end that no digit is. */
function withoutFineFraction(bytes: Buffer, from: number, to: number): Buffer {
  const text = bytes.latin1Slice(from, to).replace(/(\.\d{6})\d+/, '$1')
  return Buffer.from(`${text}\n`, 'latin1')
}
