/** Reads a file as the records of several versions at once: a row that one of them can read is a record for all, as in the stream. */
import { between, columnOf, pick, type Columns } from '../../utilities/values/columns.ts'
import type { Reject } from '../../utilities/files/rejects.ts'
import type { Source } from '../../utilities/source.ts'
import type { RecordSchema } from '../record.ts'
import { readDated, type DatedBatch, type DatedReject } from './dated.ts'
import { readFiles, type FileOptions } from './files.ts'
import { chosenOf, within, type Years } from './selection.ts'

/** The records that differ, each once; the order of their fields counts. */
export const distinctRecords = (records: readonly RecordSchema[]): readonly RecordSchema[] => [
  ...new Map(records.map((record) => [JSON.stringify(record), record])).values(),
]

export const placeAmong = (records: readonly RecordSchema[], record: RecordSchema): number =>
  records.findIndex((one) => JSON.stringify(one) === JSON.stringify(record))

/** The rows of a stretch of the file, and its lines that cannot be read, as each of the records has them. */
export type FileStretch = { readonly readings: readonly DatedBatch[]; readonly lastSeq: number }

/** Each record reads the file for itself; a stretch goes as far as all of them have come. */
export async function* readTogether(source: Source, records: readonly RecordSchema[], options: FileOptions): AsyncGenerator<FileStretch> {
  const mayLack = records.length > 1
  const readers = records.map((record) => readDated(record, source, { ...options, mayLack }))
  let heads: (DatedBatch | undefined)[] = records.map(() => undefined)
  try {
    for (;;) {
      for (const [i, reader] of readers.entries()) heads[i] ??= (await reader.next()).value ?? undefined
      const readings = heads.filter((head) => head !== undefined)
      if (readings.length === 0) return
      // Every line is a row or a reject to each of them.
      if (readings.length < readers.length) throw new Error(`${source.place} ended for one record before it did for another`)
      // A file of a time when one of them had fewer fields is read by the others with nulls; one that no record fits is refused.
      if (readings.every(({ lacks }) => lacks)) await refused(source, records[0]!, options)
      const lastSeq = Math.min(...readings.map((reading) => reading.lastSeq))
      yield { readings: readings.map((reading) => upTo(reading, lastSeq)), lastSeq }
      heads = readings.map((reading) => (reading.lastSeq > lastSeq ? behind(reading, lastSeq) : undefined))
    }
  } finally {
    for (const reader of readers) await reader.return()
  }
}

async function refused(source: Source, record: RecordSchema, options: FileOptions): Promise<void> {
  for await (const _ of readFiles(record, source, { ...options, mayLack: false })) continue
}

const seqsOf = (columns: Columns): Float64Array => columnOf(columns, '_seq', 'int').values

const upTo = (batch: DatedBatch, lastSeq: number): DatedBatch =>
  batch.lastSeq === lastSeq ? batch : { ...part(batch, -Infinity, lastSeq), lastSeq }

const behind = (batch: DatedBatch, after: number): DatedBatch => part(batch, after, Infinity)

const part = ({ columns, rejects, ...rest }: DatedBatch, after: number, until: number): DatedBatch => ({
  ...rest,
  columns: between(columns, after, until),
  rejects: rejects.filter(({ seq }) => seq > after && seq <= until),
})

/** What of a stretch belongs to the years. */
export type ChosenTogether = {
  /** The records that each can read. */
  readonly readings: readonly Columns[]
  /** The records that any can read, in figures, and the lines that none can; all lines are those of other years too. */
  readonly rows: number
  readonly rejects: readonly DatedReject[]
  readonly lines: number
}

export function chosenTogether({ readings }: FileStretch, records: readonly RecordSchema[], years: Years): ChosenTogether {
  const chosen = readings.map((reading, i) => pick(reading.columns, chosenOf(reading, records[i]!.at, years).rows))
  const [{ columns, rejects }] = readings as [DatedBatch]
  const readable = readings.length === 1 ? undefined : new Set(readings.flatMap((reading) => [...seqsOf(reading.columns)]))
  const wanted = within(years)
  return {
    readings: chosen,
    rows: numbersOf(chosen).length,
    rejects: rejects.filter(({ seq, day }) => wanted(day) && !readable?.has(seq)),
    lines: columns.count + rejects.length,
  }
}

/** The numbers of the records that any can read, in order. */
export const numbersOf = (readings: readonly Columns[]): Float64Array =>
  readings.length === 1 ? seqsOf(readings[0]!) : Float64Array.from(new Set(readings.flatMap((columns) => [...seqsOf(columns)]))).sort()

/** The lines of these records that a reading has rejected, in the name of whoever reads so. */
export function unreadLines({ readings }: FileStretch, reading: number, numbers: Float64Array, name: string): readonly Reject[] {
  if (readings.length === 1) return []
  const wanted = new Set(numbers)
  const own = readings[reading]!.rejects.filter(({ seq }) => wanted.has(seq))
  return own.map((reject) => ({ ...reject, reason: `${name} cannot read it: ${reject.reason}` }))
}
