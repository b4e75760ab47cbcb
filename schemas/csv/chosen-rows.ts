/** Takes rows of some years out of a CSV, stretch by stretch: the rejected lines that go with them are kept, and every row of the file is counted. */
import { pick, type Columns } from '../../utilities/values/columns.ts'
import { Problem } from '../../utilities/values/problem.ts'
import type { Reject, RejectsFile } from '../../utilities/files/rejects.ts'
import type { RecordSchema } from '../record.ts'
import { chosenOf, readDated, type DatedReject, type Years } from './selection.ts'

/** Rows of the file: taken now, there already, rejected now or before, of other years; together what was read. */
export type RowTotals = { readonly rows: number; readonly there: number; readonly rejected: number; readonly rejectedBefore: number; readonly notChosen: number }

export type ChosenOptions = {
  readonly record: RecordSchema
  /** The file and where it lies, for messages; its rows are numbered on from `base`. */
  readonly chunks: AsyncIterable<Uint8Array>
  readonly place: string
  readonly base: number
  readonly rowsPerBatch?: number | undefined
  readonly years: Years
  /** Refuse the first line that cannot be read and is not known yet. */
  readonly strict: boolean
  readonly rejects: RejectsFile
  /** Whether somebody took a rejected line before. */
  readonly isThere: (seq: number, day: number | null) => boolean
  /** Up to there an earlier run has kept the lines. */
  readonly keptUpTo?: number
}

export type ChosenStretch = {
  /** Rows of the years, whether somebody took them before or not. */
  readonly records: Columns
  /** The rejected lines that go with them and that nobody took before. */
  readonly lines: readonly DatedReject[]
  readonly lastSeq: number
  /**
   * Keeps the lines and counts the rows, so many of which are taken now. To be called when nothing is refused, before they are written: a crash
   * in between leaves lines that the next run drops, never a silent loss.
   */
  readonly keepAndCount: (rows: number) => Promise<void>
}

export function chosenRows(options: ChosenOptions): { readonly total: RowTotals; readonly stretches: AsyncIterable<ChosenStretch> } {
  const { record, chunks, place, base, rowsPerBatch, years, strict, rejects, isThere, keptUpTo = 0 } = options
  const total = { rows: 0, there: 0, rejected: 0, rejectedBefore: 0, notChosen: 0 }
  async function* stretches(): AsyncGenerator<ChosenStretch> {
    for await (const batch of readDated(record, chunks, { base, place, rowsPerBatch })) {
      const chosen = chosenOf(batch, record.at, years)
      const lines = chosen.rejects.filter(({ seq, day }) => !isThere(seq, day))
      const bad = lines.filter(({ seq }) => seq > keptUpTo)
      if (strict && bad.length > 0) throw unreadable(place, bad[0]!)
      const keepAndCount = async (rows: number) => {
        await rejects.append(bad)
        total.rows += rows
        total.there += chosen.rows.length - rows
        total.rejected += bad.length
        total.rejectedBefore += chosen.rejects.length - bad.length
        total.notChosen += batch.columns.count + batch.rejects.length - chosen.rows.length - chosen.rejects.length
      }
      yield { records: pick(batch.columns, chosen.rows), lines, lastSeq: batch.lastSeq, keepAndCount }
    }
  }
  return { total, stretches: stretches() }
}

export const unreadable = (place: string, { line, column, reason }: Reject) =>
  new Problem(`${place}:${line}: ${column}: ${reason}`, 'Correct the line, or leave out --strict to put such lines into the rejects file and go on.')
