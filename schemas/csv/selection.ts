/** Picks the rows of some years out of a CSV, says which rejected lines go with them, and what of both was taken before. */
import { columnOf, pick, type Columns } from '../../utilities/values/columns.ts'
import { daysOf } from '../../utilities/values/days.ts'
import type { Reject } from '../../utilities/files/rejects.ts'
import type { SourceIdentity } from '../../utilities/source.ts'
import type { DatedBatch, DatedReject } from './dated.ts'

export type Years = readonly [from: number, to: number]

/** The years that can be typed. */
export const everyYear: Years = [1901, 9999]

/**
 * What was taken of a file: its rows of these years with after < _seq <= lastSeq, and the rejected lines that go with them. Rows are only
 * ever taken behind everything taken before, so that this says exactly which they were, whatever the file.
 */
export type Take = {
  readonly source: SourceIdentity
  /** `_seq` is the row's number in the file plus this. */
  readonly base: number
  readonly years: Years
  readonly after: number
  /** Of the first and the last that was taken, rejected lines included. */
  readonly firstSeq: number
  readonly lastSeq: number
  readonly rows: number
  readonly rejected: number
}

export type Selected = {
  /** Indexes of rows in the batch. */
  readonly rows: Int32Array
  readonly rejects: readonly DatedReject[]
}

const msPerDay = 86_400_000

/** Whether a day is in these years. */
export function within([from, to]: Years): (day: number | null) => boolean {
  const firstDay = Date.UTC(from, 0, 1) / msPerDay
  const pastDay = Date.UTC(to + 1, 0, 1) / msPerDay
  return (day) => day === null || (day >= firstDay && day < pastDay)
}

/** The rows and lines of the batch that belong to the years. */
export function chosenOf({ columns, rejects }: DatedBatch, at: string, years: Years): Selected {
  const days = daysOf(columns, at)
  const wanted = within(years)
  const rows = new Int32Array(columns.count)
  let count = 0
  for (let row = 0; row < columns.count; row++) if (wanted(days[row]!)) rows[count++] = row
  return { rows: rows.subarray(0, count), rejects: rejects.filter(({ day }) => wanted(day)) }
}

/** Which rows were taken, by number and day; none behind `upTo`. */
export type TakenRows = { readonly upTo: number; readonly has: (seq: number, day: number | null) => boolean }

/** The takes are all of the same numbering. */
export function takenIn(takes: readonly Pick<Take, 'years' | 'after' | 'lastSeq'>[]): TakenRows {
  const looks = takes.map(({ years, after, lastSeq }) => ({ after, lastSeq, wanted: within(years) }))
  return {
    upTo: Math.max(0, ...takes.map(({ lastSeq }) => lastSeq)),
    has: (seq, day) => looks.some(({ after, lastSeq, wanted }) => seq > after && seq <= lastSeq && wanted(day)),
  }
}

/** The rows that nobody has taken. */
export function untaken(records: Columns, at: string, { upTo, has }: TakenRows): Columns {
  const seq = columnOf(records, '_seq', 'int').values
  if (records.count === 0 || seq[0]! > upTo) return records
  const days = daysOf(records, at)
  const rows = new Int32Array(records.count)
  let count = 0
  for (let row = 0; row < records.count; row++) if (!has(seq[row]!, days[row]!)) rows[count++] = row
  return pick(records, rows.subarray(0, count))
}

/** A take that has nothing yet. */
export const nothingYet = (about: Pick<Take, 'source' | 'base' | 'years' | 'after'>): Take => ({
  ...about,
  firstSeq: about.after + 1,
  lastSeq: about.after,
  rows: 0,
  rejected: 0,
})

/** With these rows and lines, which lie behind what it has. */
export function extendTake(take: Take, seq: Float64Array, rejects: readonly Reject[]): Take {
  const behind = rejects.filter((reject) => reject.seq > take.after)
  const lastSeq = Math.max(take.lastSeq, seq.at(-1) ?? 0, behind.at(-1)?.seq ?? 0)
  const firstSeq = Math.min(take.lastSeq > take.after ? take.firstSeq : Infinity, seq[0] ?? Infinity, behind[0]?.seq ?? Infinity)
  return lastSeq === take.after
    ? take
    : { ...take, firstSeq, lastSeq, rows: take.rows + seq.length, rejected: take.rejected + behind.length }
}

/** The list with one more take behind it: where it goes on with the same choice, as one with the last. */
export function joinTake(takes: readonly Take[], take: Take): readonly Take[] {
  const last = takes.at(-1)
  if (!last || last.base !== take.base || last.years.join() !== take.years.join() || last.lastSeq !== take.after) return [...takes, take]
  return [
    ...takes.slice(0, -1),
    { ...take, after: last.after, firstSeq: last.firstSeq, rows: last.rows + take.rows, rejected: last.rejected + take.rejected },
  ]
}

/** For rows that were chosen so; nothing where all were. */
export const ofYears = ([from, to]: Years): string =>
  from === everyYear[0] && to === everyYear[1] ? '' : ` of ${from === to ? from : `${from}-${to}`}`
