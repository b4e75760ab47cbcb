/**
 * The hot loop of the CSV reader: takes valid rows from bytes into columns, several million cells a second, and stops at the first
 * record that is not plainly valid. What such a record is (wrong, or not all there yet) is for walk.ts and fault.ts to say.
 *
 * Written for speed: one function, no object or string per cell. Its plain twin is the reader in test/csv.test.ts, which must give
 * the same rows for any text.
 */
import { isUtf8 } from 'node:buffer'
import { noDay } from '../../utilities/values/columns.ts'
import { carriageReturn, lowerE, minus, newline, plus, point, quote, upperE, zero } from './bytes.ts'
import { areUtf8, nullWordAt, otherCellAt, putNull } from './cell.ts'
import { dayOf } from './cells.ts'
import { dateAt } from './dates.ts'
import { dateKind, ignoredKind, makeRoom, numberKind, textKind, type Draft } from './draft.ts'

/** The place of the next record. */
export type Cursor = {
  at: number
  /** Its physical line; the header is line 1. */
  line: number
  /** `_seq` of the last data row before it, and of the last valid one. */
  seq: number
  validSeq: number
}

export type Limits = { readonly recordBytes: number; /** A batch is full once its texts have so many bytes. */ readonly textBytes: number }

export const isFull = (draft: Draft, { textBytes }: Limits): boolean => draft.count === draft.capacity || draft.textEnd >= textBytes

const powersOfTen = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/**
 * Moves the cursor over the valid rows in bytes[cursor.at .. to), until the draft is full. The buffer must have a byte of room beyond `to`.
 */
export function scan(draft: Draft, bytes: Buffer, to: number, cursor: Cursor, limits: Limits): void {
  makeRoom(draft, to - cursor.at)
  // A line end just beyond the bytes stops every inner loop, so that none has to ask for the end.
  bytes[to] = newline
  const { kinds, nullable, firsts, most, capacity, numbers, days, starts, ends, seqs, lines, text, ignores, form } = draft
  const fields = kinds.length
  const { delimiter, emptyIsNull, nullStarts, dates } = form
  const hasNullWords = form.nulls.length > 0
  const { recordBytes, textBytes } = limits
  let { at, line, seq } = cursor
  let row = draft.count
  let out = draft.textEnd
  let recordStart = at
  let textStart = out
  let latestDate = 0
  let latestDay = noDay

  records: while (at < to && row < capacity && out < textBytes) {
    let c = bytes[at]!
    if (c === newline || (c === carriageReturn && bytes[at + 1] === newline)) {
      at += c === newline ? 1 : 2
      if (at > to) break
      recordStart = at
      line++
      continue
    }
    let breaks = 0
    let high = 0

    for (let field = 0; field < fields; field++) {
      if (field > 0) {
        if (bytes[at] !== delimiter) break records
        at++
      }
      c = bytes[at]!
      const kind = kinds[field]!
      let isNull = false
      if (hasNullWords && nullStarts[c === quote ? bytes[at + 1]! : c] === 1 && kind !== ignoredKind) {
        const end = nullWordAt(draft, bytes, at)
        if (end > at) {
          if (nullable[field] === 0) break records
          at = end
          putNull(draft, field, row)
          continue
        }
      }
      if (kind === numberKind) {
        const quoted = c === quote
        if (quoted) c = bytes[++at]!
        const start = at
        const negative = c === minus
        if (negative || c === plus) c = bytes[++at]!
        const digitsStart = at
        let mantissa = 0
        while ((c - zero) >>> 0 <= 9) {
          mantissa = mantissa * 10 + (c - zero)
          c = bytes[++at]!
        }
        let value = NaN
        if (at === digitsStart) {
          if (at !== start) break records
          isNull = true
        } else {
          let digits = at - digitsStart
          let decimals = 0
          if (c === point) {
            c = bytes[++at]!
            const fractionStart = at
            while ((c - zero) >>> 0 <= 9) {
              mantissa = mantissa * 10 + (c - zero)
              c = bytes[++at]!
            }
            decimals = at - fractionStart
            if (decimals === 0) break records
            digits += decimals
          }
          const exponent = c === lowerE || c === upperE
          if (exponent) {
            c = bytes[++at]!
            if (c === minus || c === plus) c = bytes[++at]!
            const exponentStart = at
            while ((c - zero) >>> 0 <= 9) c = bytes[++at]!
            if (at === exponentStart) break records
          }
          if (exponent || digits > 15) {
            value = Number(bytes.toString('latin1', start, at))
            if (value === Infinity || value === -Infinity) break records
          } else {
            // Both are whole numbers below 2^53, so the one division rounds as it should.
            value = mantissa / powersOfTen[decimals]!
            if (negative) value = -value
          }
          // -0 is 0.
          value += 0
        }
        if (quoted) {
          if (c !== quote) break records
          at++
        }
        numbers[field]![row] = value
      } else if (kind === dateKind) {
        const quoted = c === quote
        if (quoted) c = bytes[++at]!
        if ((c - zero) >>> 0 <= 9 && dates) {
          at = dateAt(dates, bytes, at, days[field]!, row)
          if (at < 0 || days[field]![row]! < firsts[field]!) break records
        } else if ((c - zero) >>> 0 <= 9) {
          if (at + 10 >= to || bytes[at + 4] !== minus || bytes[at + 7] !== minus) break records
          const y1 = c - zero
          const y2 = bytes[at + 1]! - zero
          const y3 = bytes[at + 2]! - zero
          const y4 = bytes[at + 3]! - zero
          const m1 = bytes[at + 5]! - zero
          const m2 = bytes[at + 6]! - zero
          const d1 = bytes[at + 8]! - zero
          const d2 = bytes[at + 9]! - zero
          if (y2 >>> 0 > 9 || y3 >>> 0 > 9 || y4 >>> 0 > 9 || m1 >>> 0 > 9 || m2 >>> 0 > 9 || d1 >>> 0 > 9 || d2 >>> 0 > 9) break records
          const year = y1 * 1000 + y2 * 100 + y3 * 10 + y4
          const date = year * 10_000 + m1 * 1000 + m2 * 100 + d1 * 10 + d2
          // Files are mostly in order of time: the day is mostly that of the row before.
          if (date !== latestDate) {
            latestDay = dayOf(year, m1 * 10 + m2, d1 * 10 + d2)
            latestDate = date
          }
          // No day at all lies before all of them.
          if (latestDay < firsts[field]!) break records
          days[field]![row] = latestDay
          at += 10
        } else {
          days[field]![row] = noDay
          isNull = true
        }
        if (quoted) {
          if (bytes[at] !== quote) break records
          at++
        }
      } else if (kind === textKind) {
        const start = out
        if (c === quote) {
          c = bytes[++at]!
          for (;;) {
            if (c === quote) {
              c = bytes[++at]!
              if (c !== quote) break
            } else if (c === newline) {
              if (at >= to) break records
              breaks++
            }
            text[out++] = c
            high |= c
            c = bytes[++at]!
          }
        } else {
          while (c !== delimiter && c !== newline && (c !== carriageReturn || bytes[at + 1] !== newline)) {
            text[out++] = c
            high |= c
            c = bytes[++at]!
          }
        }
        isNull = out === start && emptyIsNull
        if (out - start > most[field]!) break records
        starts[field]![row] = isNull ? -1 : start
        ends[field]![row] = isNull ? -1 : out
      } else {
        const end = otherCellAt(draft, field, bytes, at, to, row)
        if (end < 0) break records
        at = end
        breaks += draft.breaks
      }
      if (isNull && (nullable[field] === 0 || !emptyIsNull)) break records
    }

    const recordEnd = at
    if (bytes[at] === carriageReturn) at++
    if (bytes[at] !== newline || at >= to || recordEnd - recordStart > recordBytes) break records
    // What is ignored may be anything.
    if (high > 127 && !isUtf8(bytes.subarray(recordStart, recordEnd)) && !(ignores && areUtf8(draft, row))) break records
    recordStart = ++at
    textStart = out
    if (lines.length > 0) lines[row] = line
    seqs[row++] = ++seq
    line += 1 + breaks
  }

  // What was read of a record that is not taken counts for nothing.
  if (row > draft.count) cursor.validSeq = seq
  cursor.at = recordStart
  cursor.line = line
  cursor.seq = seq
  draft.count = row
  draft.textEnd = textStart
}
