/** The moments that labels ask about, in microseconds since 1970: a date is its beginning, and a time says in which zone it is. */
import { amiss } from '../schemas/csv/amiss.ts'
import { dateAt } from '../schemas/csv/dates.ts'
import { timestampAt } from '../schemas/csv/timestamps.ts'
import type { FileColumn } from '../utilities/column-file.ts'
import { columnOf, noDay, type TextColumn } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import { dayMicros } from '../utilities/values/timestamp.ts'
import { quoted, textAt, wrongLabel, type LabelPart, type Labels } from './labels.ts'

export type MomentOptions = {
  readonly time: string
  /** Times that say no zone are in UTC; else they are refused. */
  readonly utc: boolean
}

/** Refuses a column that cannot say when. */
export function checkTime({ place, columns }: Labels, { time, utc }: MomentOptions): FileColumn {
  const column = columns.find(({ name }) => name === time)
  if (!column) {
    const names = columns.map(({ name }) => name).join(', ')
    throw new Problem(`${place} has no column ${quoted(time)} for --time`, `Its columns are ${names}.`, { usage: true })
  }
  const { type, withoutZone } = column
  if (type !== 'date' && type !== 'timestamp' && !(typeof type === 'object' && 'varchar' in type))
    throw new Problem(
      `${time} of ${place} holds numbers, not times`,
      'Write times in ISO 8601, e.g. 2026-01-31T06:00:00Z, or as timestamps.',
    )
  if (withoutZone && !utc) throw noZone(`${time} of ${place} holds timestamps without a zone`, 'Store them in UTC')
  return column
}

const noZone = (what: string, todo: string) => new Problem(what, `${todo}, or say with --utc that they are in UTC.`)

export function momentsOf({ rows, placeOf }: LabelPart, labels: string, { time, utc }: MomentOptions): Float64Array {
  const column = rows.byName.get(time)!
  const moments = new Float64Array(rows.count)
  const missing = (row: number) =>
    wrongLabel(labels, placeOf(row), `${time} is empty`, 'Give every label a time: it says as of when features are.')
  if (column.kind === 'date') {
    for (let row = 0; row < moments.length; row++) {
      if (column.days[row] === noDay) throw missing(row)
      moments[row] = column.days[row]! * dayMicros
    }
    return moments
  }
  if (column.kind === 'timestamp') {
    for (let row = 0; row < moments.length; row++) {
      if (column.values[row] !== column.values[row]) throw missing(row)
      moments[row] = column.values[row]!
    }
    return moments
  }
  const texts = columnOf(rows, time, 'text')
  for (let row = 0; row < moments.length; row++) {
    if (texts.starts[row]! < 0) throw missing(row)
    const what = readMoment(texts, row, utc, moments)
    if (what === undefined) continue
    const text = quoted(textAt(texts, row))
    if (what === 'no zone')
      throw noZone(`${labels}, ${placeOf(row)}: ${time} ${text} has no zone`, 'Write Z behind times in UTC, or +01:00')
    throw wrongLabel(labels, placeOf(row), `${time} ${text} ${what}`, 'Write times in ISO 8601, e.g. 2026-01-31T06:00:00Z, or dates.')
  }
  return moments
}

const [dateLength, most] = [10, 48]
/** A cell alone, with a line end behind it. */
const cell = new Uint8Array(most + 2)
const days = new Int32Array(1)
const wide = new Map<number, bigint>()
const [upperZ, plus, minus, newline] = [90, 43, 45, 10]

/** undefined when it could be read. */
function readMoment({ bytes, starts, ends }: TextColumn, row: number, utc: boolean, to: Float64Array): string | undefined {
  const start = starts[row]!
  const length = ends[row]! - start
  if (length > most) return 'is no time'
  for (let i = 0; i < length; i++) cell[i] = bytes[start + i]!
  cell[length] = cell[length + 1] = newline
  if (length === dateLength) {
    if (dateAt(undefined, cell, 0, days, 0) !== length) return 'is no date'
    if (days[0] === noDay) return 'is no day that there is'
    to[row] = days[0]! * dayMicros
    return undefined
  }
  const end = timestampAt(undefined, cell, 0, to, wide, row)
  if (end === amiss.fraction) return 'is finer than a microsecond'
  if (end === amiss.day) return 'is no day that there is'
  if (end === amiss.time || end === amiss.years) return 'is no time that there is'
  if (end !== length) return 'is no time'
  return utc || hasZone(length) ? undefined : 'no zone'
}

/** Behind the date a minus can only begin a zone. */
function hasZone(length: number): boolean {
  for (let i = dateLength; i < length; i++) if (cell[i] === upperZ || cell[i] === plus || cell[i] === minus) return true
  return false
}
