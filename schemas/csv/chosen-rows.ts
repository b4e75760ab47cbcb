/**
 * Takes rows of some years out of a CSV, stretch by stretch: the rejected lines that go with them are kept, and every row of the file is
 * counted.
 */
import type { Columns } from '../../utilities/values/columns.ts'
import { Problem } from '../../utilities/values/problem.ts'
import type { Reject, RejectsFile } from '../../utilities/files/rejects.ts'
import type { Source } from '../../utilities/source.ts'
import type { RecordSchema } from '../record.ts'
import type { DatedReject } from './dated.ts'
import type { Years } from './selection.ts'
import { chosenTogether, readTogether, type FileStretch } from './together.ts'

/** Rows of the file: taken now, there already, rejected now or before, of other years; together what was read. */
export type RowTotals = {
  readonly rows: number
  readonly there: number
  readonly rejected: number
  readonly rejectedBefore: number
  readonly notChosen: number
}

export type ChosenOptions = {
  /** A row that one of them can read is taken. */
  readonly records: readonly RecordSchema[]
  readonly source: Source
  /** Its rows are numbered on from there. */
  readonly base: number
  readonly signal?: AbortSignal
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

export type ChosenStretch = FileStretch & {
  /** Rows of the years as each of the records has them, whether somebody took them before or not. */
  readonly chosen: readonly Columns[]
  /** The rejected lines that go with them and that nobody took before. */
  readonly lines: readonly DatedReject[]
  /**
   * Keeps the lines, with those of rows that only some can read, and counts the rows, so many of which are taken now. To be called when
   * nothing is refused, before they are written: a crash in between leaves lines that the next run drops, never a silent loss.
   */
  readonly keepAndCount: (rows: number, unread?: readonly Reject[]) => Promise<void>
}

export function chosenRows(options: ChosenOptions): { readonly total: RowTotals; readonly stretches: AsyncIterable<ChosenStretch> } {
  const { records, source, base, rowsPerBatch, signal, years, strict, rejects, isThere, keptUpTo = 0 } = options
  const { place } = source
  const total = { rows: 0, there: 0, rejected: 0, rejectedBefore: 0, notChosen: 0 }
  async function* stretches(): AsyncGenerator<ChosenStretch> {
    for await (const stretch of readTogether(source, records, { base, rowsPerBatch, signal })) {
      const { readings, rows: chosen, rejects: rejected, lines: all } = chosenTogether(stretch, records, years)
      const lines = rejected.filter(({ seq, day }) => !isThere(seq, day))
      const bad = lines.filter(({ seq }) => seq > keptUpTo)
      if (strict && bad.length > 0) throw unreadable(place, bad[0]!)
      const keepAndCount = async (rows: number, unread: readonly Reject[] = []) => {
        const ofSome = unread.filter(({ seq }) => seq > keptUpTo)
        await rejects.append(ofSome.length === 0 ? bad : [...bad, ...ofSome].sort((a, b) => a.seq - b.seq))
        total.rows += rows
        total.there += chosen - rows
        total.rejected += bad.length
        total.rejectedBefore += rejected.length - bad.length
        total.notChosen += all - chosen - rejected.length
      }
      yield { ...stretch, chosen: readings, lines, keepAndCount }
    }
  }
  return { total, stretches: stretches() }
}

const unreadable = (whole: string, { line, place = whole, column, reason }: Reject) =>
  new Problem(
    `${place}:${line}: ${column}: ${reason}`,
    'Correct the line, or leave out --strict to put such lines into the rejects file and go on.',
  )
