/** Reads a file for whoever takes rows of it: numbered on from the files before, and each rejected line with the day that it goes with. */
import { columnOf } from '../../utilities/values/columns.ts'
import { daysOf } from '../../utilities/values/days.ts'
import type { Reject } from '../../utilities/files/rejects.ts'
import type { Source } from '../../utilities/source.ts'
import { readFiles, type FileOptions } from './files.ts'
import type { CsvBatch } from './read.ts'
import type { RecordSchema } from '../record.ts'

/** A rejected line and the day of the valid row that it goes with; null when it goes with every choice of years. */
export type DatedReject = Reject & { readonly day: number | null }
export type DatedBatch = Omit<CsvBatch, 'rejects'> & { readonly rejects: readonly DatedReject[] }

/** The batches of a source's files, numbered on from `base`. */
export const readDated = (record: RecordSchema, source: Source, options: FileOptions) =>
  datedBatches(readFiles(record, source, options), record.at)

/** So many lines at the head of a file may wait for the first valid row. */
const mostWaiting = 1000

/**
 * A rejected line has no year to go by: it goes with the valid row before it, or at the head of the file with the first one. Where none
 * comes soon it goes with every choice. It is the same however the file is cut into batches.
 */
export async function* datedBatches(batches: AsyncIterable<CsvBatch>, at: string): AsyncGenerator<DatedBatch, void, undefined> {
  let day: number | null | undefined
  let waiting: Reject[] = []
  let last: CsvBatch | undefined
  for await (const batch of batches) {
    const { columns } = (last = batch)
    const days = daysOf(columns, at)
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
