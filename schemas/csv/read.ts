/** Reads a CSV file (RFC 4180) into columns, batch by batch: every data row is numbered, and every bad one is named with its reason. */
import type { Columns } from '../../utilities/values/columns.ts'
import { Problem } from '../../utilities/values/problem.ts'
import type { Reject } from '../../utilities/files/rejects.ts'
import type { TextForm } from '../../utilities/source.ts'
import { carriageReturn, newline } from './bytes.ts'
import { cut, newDraft, type Draft, type FileColumns } from './draft.ts'
import { columnName, faultOf } from './fault.ts'
import { csvForm } from './form.ts'
import { columnsFor } from './header.ts'
import { checkNulls } from './null-words.ts'
import { isFull, scan, type Cursor, type Limits } from './scan.ts'
import { cellText, walk, type CellState, type Walk } from './walk.ts'
import { feed, newWindow, type Window } from './window.ts'
import { computedFields } from '../computed.ts'
import { sourceRecord, type RecordSchema } from '../record.ts'
import { computedRows } from './computed.ts'

export type { Reject } from '../../utilities/files/rejects.ts'

export type CsvBatch = {
  /** One column per field of the record, in order, and `_seq`. */
  readonly columns: Columns
  /** The rows rejected within this stretch of the file. */
  readonly rejects: readonly Reject[]
  /** `_seq` of the last data row, valid or rejected, that has been read. */
  readonly lastSeq: number
  /** The file has no column for some of the fields, which are null. */
  readonly lacks?: true
}

export type CsvOptions = {
  /** Where the text comes from, for messages. */
  readonly place: string
  readonly form?: TextForm
  /** The number of its first row, less one. */
  readonly base?: number
  /** A field that may be null need not have a column: see columnsFor. */
  readonly mayLack?: boolean
  /** Valid rows in a batch; it is cut earlier only where texts or rejects are uncommonly large. */
  readonly rowsPerBatch?: number | undefined
  /** The longest record taken, in bytes: what keeps a quote that is never closed from swallowing the file. */
  readonly recordBytes?: number
  /** Each row has its line in a column `_line`. */
  readonly withLines?: true
}

const mebibyte = 1 << 20
const byteOrderMark = Buffer.from('\ufeff')

/** The batches are the same however the bytes are cut into chunks. */
export function readCsv(schema: RecordSchema, chunks: AsyncIterable<Uint8Array>, options: CsvOptions): AsyncGenerator<CsvBatch> {
  const compute = computedFields(schema)
  if (!compute) return readRows(schema, chunks, options)
  return computedRows(readRows(sourceRecord(schema), chunks, { ...options, withLines: true }), compute, options.base ?? 0)
}

async function* readRows(schema: RecordSchema, chunks: AsyncIterable<Uint8Array>, options: CsvOptions): AsyncGenerator<CsvBatch> {
  const { rowsPerBatch = 10_000, recordBytes = mebibyte, base = 0, withLines = false } = options
  const form = csvForm(options.form ?? {})
  checkNulls(schema, form)
  const window = newWindow()
  let reader: ReturnType<typeof rowReader> | undefined
  let wanted = 0

  function* take(atEnd: boolean): Generator<CsvBatch> {
    // An unfinished record is tried again only once twice as much is there, or tiny chunks would have it read time and again.
    if (!atEnd && window.end - window.at < wanted) return
    if (!reader) {
      const columns = passHeader(schema, window, { ...options, delimiter: form.delimiter, atEnd, recordBytes })
      if (columns)
        reader = rowReader(newDraft(schema, columns, form, { capacity: rowsPerBatch, withLines }), base, {
          recordBytes,
          textBytes: 8 * mebibyte,
        })
    }
    if (reader) yield* reader.take(window, atEnd)
    wanted = 2 * (window.end - window.at)
  }

  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += mebibyte) {
      feed(window, chunk.subarray(from, from + mebibyte))
      yield* take(false)
    }
  }
  // The end of the file ends its last line.
  if (window.end > window.at && window.bytes[window.end - 1] !== newline) feed(window, Uint8Array.of(newline))
  yield* take(true)
}

/** Refuses a text whose columns do not fit; no more of it is read than its header. */
export async function checkHeader(schema: RecordSchema, chunks: AsyncIterable<Uint8Array>, options: CsvOptions): Promise<void> {
  const { recordBytes = mebibyte } = options
  const { delimiter } = csvForm(options.form ?? {})
  const window = newWindow()
  for await (const chunk of chunks) {
    feed(window, chunk)
    if (passHeader(schema, window, { ...options, delimiter, atEnd: false, recordBytes })) return
  }
  feed(window, Uint8Array.of(newline))
  passHeader(schema, window, { ...options, delimiter, atEnd: true, recordBytes })
}

type HeaderOptions = {
  readonly place: string
  readonly delimiter: number
  readonly atEnd: boolean
  readonly recordBytes: number
  readonly mayLack?: boolean
}

/** Moves the window past the header, and says what is in which column; undefined when it is not all there yet. */
function passHeader(schema: RecordSchema, window: Window, options: HeaderOptions): FileColumns | undefined {
  const { place, delimiter, atEnd, recordBytes, mayLack = false } = options
  const { bytes, at, end } = window
  if (end - at < byteOrderMark.length && !atEnd) return undefined
  const from = bytes.subarray(at, end).indexOf(byteOrderMark) === 0 ? at + byteOrderMark.length : at
  const first = walk(bytes, from, end, { limit: recordBytes, delimiter })
  if (first.outcome === 'open' && !atEnd) return undefined
  if (end - from <= 1 && atEnd && bytes.toString('latin1', from, end).trim() === '') {
    const names = Object.values(schema.fields).map(({ csv }) => csv)
    throw new Problem(`${place} is empty`, `It needs at least a header: ${names.join(String.fromCharCode(delimiter))}.`)
  }
  const names =
    first.outcome === 'ended'
      ? first.cells.map((cell) => cellText(bytes, cell))
      : [bytes.toString('utf8', from, Math.min(end, from + 1000))]
  const columns = columnsFor(schema, names, { place, delimiter: String.fromCharCode(delimiter), mayLack })
  window.at = first.next
  return columns
}

function rowReader(draft: Draft, base: number, limits: Limits) {
  const { names, lacking } = draft.columns
  const lacks = lacking.length > 0 && { lacks: true as const }
  const { delimiter } = draft.form
  const cursor: Cursor = { at: 0, line: 0, seq: base, validSeq: base }
  let rejects: Reject[] = []
  let rejectedCharacters = 0
  /** In the middle of a line that is too long: the rest of it is passed over. */
  let passing = false
  /** Up to where in the file an earlier walk has found no end. */
  let known: { readonly through: number; readonly mode: CellState } | undefined

  const cutBatch = (): CsvBatch => {
    const batch = { columns: cut(draft), rejects, lastSeq: cursor.seq, ...lacks }
    rejects = []
    rejectedCharacters = 0
    return batch
  }

  const reject = (column: string, reason: string, bytes: Buffer, from: number, to: number) => {
    const text = beginning(bytes, from, to)
    rejectedCharacters += text.length
    rejects.push({ seq: ++cursor.seq, line: cursor.line, column, text, reason, afterSeq: cursor.validSeq })
  }

  /** The record never ends: its first line is rejected alone, and the next line is a new beginning. */
  const rejectLine = ({ bytes, end, base }: Window, { outcome, next, mode, openCell }: Walk) => {
    const from = cursor.at
    const length = bytes.subarray(from, end).indexOf(newline)
    const textEnd = length < 0 ? end : from + length - (bytes[from + length - 1] === carriageReturn ? 1 : 0)
    const reason =
      outcome === 'open'
        ? 'the quote is never closed'
        : `longer than ${limits.recordBytes === mebibyte ? '1 MiB' : `${limits.recordBytes} bytes`}`
    reject(columnName(names, openCell), reason, bytes, from, Math.min(textEnd, from + limits.recordBytes))
    known = { through: base + next, mode }
    passing = length < 0
    cursor.at = passing ? end : from + length + 1
    cursor.line++
  }

  /** Deals with the record that the scanner has stopped at; false when it is not all there yet. */
  const judge = (window: Window, atEnd: boolean): boolean => {
    const { bytes, end, base } = window
    const leap = known && known.through > base + cursor.at ? { through: known.through - base, mode: known.mode } : undefined
    const record = walk(bytes, cursor.at, end, { limit: limits.recordBytes, delimiter, known: leap })
    if (record.outcome === 'open' && !atEnd) return false
    if (record.outcome !== 'ended') rejectLine(window, record)
    // It ends after all, behind the stretch leapt over: it must be read in full.
    else if (leap) known = undefined
    else {
      const fault = faultOf(draft, bytes, record.cells)
      if (!fault) throw new Error(`line ${cursor.line}: the scanner has stopped at a record without a fault`)
      reject(fault.column, fault.reason, bytes, cursor.at, record.end)
      cursor.at = record.next
      cursor.line += 1 + record.breaks
    }
    return true
  }

  return {
    *take(window: Window, atEnd: boolean): Generator<CsvBatch> {
      // The header has gone by when rows are first asked for.
      if (cursor.line === 0) cursor.line = 2
      cursor.at = window.at
      if (passing) {
        const length = window.bytes.subarray(cursor.at, window.end).indexOf(newline)
        passing = length < 0
        cursor.at = passing ? window.end : cursor.at + length + 1
      }
      for (;;) {
        scan(draft, window.bytes, window.end, cursor, limits)
        if (isFull(draft, limits) || rejectedCharacters >= limits.textBytes) yield cutBatch()
        else if (cursor.at >= window.end || !judge(window, atEnd)) break
      }
      window.at = cursor.at
      if (atEnd && (draft.count > 0 || rejects.length > 0)) yield cutBatch()
    },
  }
}

/** The text's first 10,000 characters, never half of one. */
function beginning(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('utf8', from, Math.min(to, from + 40_000)).slice(0, 10_000)
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text
}
