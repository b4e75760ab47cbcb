/** Picks the rows of some years out of a CSV, says which rejected lines go with them, and what of both was taken before. */
import { columnOf, pick, type Columns } from '../../utilities/values/columns.ts'
import type { Reject } from '../../utilities/files/rejects.ts'
import type { SourceIdentity } from '../../utilities/source.ts'
import { readCsv, type CsvBatch, type CsvOptions } from './read.ts'
import type { RecordSchema } from '../record.ts'

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

/** A rejected line and the day of the valid row that it goes with; null when it goes with every choice of years. */
export type DatedReject = Reject & { readonly day: number | null }
export type DatedBatch = Omit<CsvBatch, 'rejects'> & { readonly rejects: readonly DatedReject[] }

/** A file's batches, numbered on from `base`. */
export const readDated = (record: RecordSchema, chunks: AsyncIterable<Uint8Array>, { base, ...options }: CsvOptions & { readonly base: number }) =>
  datedBatches(numbered(readCsv(record, chunks, options), base), record.at)

async function* numbered(batches: AsyncIterable<CsvBatch>, base: number): AsyncGenerator<CsvBatch> {
  for await (const batch of batches) yield numberedFrom(base, batch)
}

/** So many lines at the head of a file may wait for the first valid row. */
const mostWaiting = 1000

/**
 * A rejected line has no year to go by: it goes with the valid row before it, or at the head of the file with the first one. Where none comes
 * soon it goes with every choice. It is the same however the file is cut into batches.
 */
export async function* datedBatches(batches: AsyncIterable<CsvBatch>, at: string): AsyncGenerator<DatedBatch, void, undefined> {
  let day: number | null | undefined
  let waiting: Reject[] = []
  let last: CsvBatch | undefined
  for await (const batch of batches) {
    const { columns } = (last = batch)
    const { days } = columnOf(columns, at, 'date')
    const seq = columnOf(columns, '_seq', 'int').values
    waiting.push(...batch.rejects)
    if (day === undefined) {
      const atHead = waiting.filter((reject) => columns.count === 0 || reject.seq < seq[0]!).length
      if (atHead > mostWaiting) day = null
      else if (columns.count > 0) day = days[0]!
      else continue
    }
    const rejects = datedRejects(waiting, seq, days, day)
    waiting = []
    // Before the batch is given away: whoever has it may hand its arrays over.
    if (columns.count > 0) day = days[columns.count - 1]!
    yield { ...batch, rejects }
  }
  if (last && waiting.length > 0) yield { ...last, rejects: waiting.map((reject) => ({ ...reject, day: null })) }
}

/** `day` is the one before the batch. */
function datedRejects(rejects: readonly Reject[], seq: Float64Array, days: Int32Array, day: number | null): DatedReject[] {
  let row = 0
  return rejects.map((reject) => {
    while (row < seq.length && seq[row]! < reject.seq) row++
    return { ...reject, day: row === 0 ? day : days[row - 1]! }
  })
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
  const { days } = columnOf(columns, at, 'date')
  const wanted = within(years)
  const rows = new Int32Array(columns.count)
  let count = 0
  for (let row = 0; row < columns.count; row++) if (wanted(days[row]!)) rows[count++] = row
  return { rows: rows.subarray(0, count), rejects: rejects.filter(({ day }) => wanted(day)) }
}

/** Which rows were taken, by number and day; none behind `upTo`. */
export type Taken = { readonly upTo: number; readonly has: (seq: number, day: number | null) => boolean }

/** The takes are all of the same numbering. */
export function takenIn(takes: readonly Pick<Take, 'years' | 'after' | 'lastSeq'>[]): Taken {
  const looks = takes.map(({ years, after, lastSeq }) => ({ after, lastSeq, wanted: within(years) }))
  return {
    upTo: Math.max(0, ...takes.map(({ lastSeq }) => lastSeq)),
    has: (seq, day) => looks.some(({ after, lastSeq, wanted }) => seq > after && seq <= lastSeq && wanted(day)),
  }
}

/** The rows that nobody has taken. */
export function untaken(records: Columns, at: string, { upTo, has }: Taken): Columns {
  const seq = columnOf(records, '_seq', 'int').values
  if (records.count === 0 || seq[0]! > upTo) return records
  const { days } = columnOf(records, at, 'date')
  const rows = new Int32Array(records.count)
  let count = 0
  for (let row = 0; row < records.count; row++) if (!has(seq[row]!, days[row]!)) rows[count++] = row
  return pick(records, rows.subarray(0, count))
}

/** A take that has nothing yet. */
export const nothingYet = (about: Pick<Take, 'source' | 'base' | 'years' | 'after'>): Take => ({ ...about, firstSeq: about.after + 1, lastSeq: about.after, rows: 0, rejected: 0 })

/** With these rows and lines, which lie behind what it has. */
export function extendTake(take: Take, seq: Float64Array, rejects: readonly Reject[]): Take {
  const behind = rejects.filter((reject) => reject.seq > take.after)
  const lastSeq = Math.max(take.lastSeq, seq.at(-1) ?? 0, behind.at(-1)?.seq ?? 0)
  const firstSeq = Math.min(take.lastSeq > take.after ? take.firstSeq : Infinity, seq[0] ?? Infinity, behind[0]?.seq ?? Infinity)
  return lastSeq === take.after ? take : { ...take, firstSeq, lastSeq, rows: take.rows + seq.length, rejected: take.rejected + behind.length }
}

/** The list with one more take behind it: where it goes on with the same choice, as one with the last. */
export function joinTake(takes: readonly Take[], take: Take): readonly Take[] {
  const last = takes.at(-1)
  if (!last || last.base !== take.base || last.years.join() !== take.years.join() || last.lastSeq !== take.after) return [...takes, take]
  return [...takes.slice(0, -1), { ...take, after: last.after, firstSeq: last.firstSeq, rows: last.rows + take.rows, rejected: last.rejected + take.rejected }]
}

/** The batch with its rows numbered on from `base`. */
function numberedFrom(base: number, batch: CsvBatch): CsvBatch {
  if (base === 0) return batch
  const seq = columnOf(batch.columns, '_seq', 'int').values.map((number) => number + base)
  return {
    columns: { count: batch.columns.count, byName: new Map(batch.columns.byName).set('_seq', { kind: 'int', values: seq }) },
    rejects: batch.rejects.map((reject) => ({ ...reject, seq: reject.seq + base })),
    lastSeq: batch.lastSeq + base,
  }
}

export const yearsText = ([from, to]: Years): string => (from === to ? `${from}` : `${from}-${to}`)
