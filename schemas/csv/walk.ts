/** Walks one CSV record byte by byte to find where it ends and where its cells lie; slow, and sure of every rule. */
import { carriageReturn, newline, quote } from './bytes.ts'

/** The cell as it stands in the file, quotes included. */
export type CsvCell = {
  readonly from: number
  readonly to: number
  readonly quoted: boolean
  /** Text stands behind its closing quote. */
  readonly stray: boolean
}

export type Walk = {
  /** `open`: no end up to the last byte. `long`: no end within the limit. */
  readonly outcome: 'ended' | 'open' | 'long'
  /** Where the record ends, its line end excluded, and where the next one begins; where the walk stopped when it has not ended. */
  readonly end: number
  readonly next: number
  /** Line breaks inside quotes. */
  readonly breaks: number
  readonly cells: readonly CsvCell[]
  /** Which cell, from 0, was being read at the first of those line breaks, or else where the walk stopped. */
  readonly openCell: number
  /** How the walk stopped, for a later one to go on from there. */
  readonly mode: CellState
}

/** Before a cell's first byte, in a cell without quotes (or behind them), inside quotes, on the byte behind a closing quote. */
export type CellState = 'start' | 'plain' | 'quoted' | 'closed'

/**
 * A stretch of bytes that an earlier walk has found no end in. A walk from a later line that meets a line break inside quotes there
 * is in the same state as that one was, so it may leap to the end of the stretch. Without it, a file of records that never end
 * would cost a walk of the full limit for each of its lines.
 */
export type Known = { readonly through: number; readonly mode: CellState }

/** `limit` is the longest record. */
export function walk(
  bytes: Uint8Array,
  from: number,
  to: number,
  { limit, delimiter, known }: { readonly limit: number; readonly delimiter: number; readonly known?: Known | undefined },
): Walk {
  const cells: CsvCell[] = []
  let mode: CellState = 'start'
  let cellFrom = from
  let quoted = false
  let stray = false
  let breaks = 0
  let openCell = -1
  let at = from
  const endCell = (end: number) => cells.push({ from: cellFrom, to: end, quoted, stray })
  const stopped = (outcome: 'open' | 'long'): Walk => ({
    outcome,
    end: at,
    next: at,
    breaks,
    cells,
    openCell: openCell < 0 ? cells.length : openCell,
    mode,
  })

  for (; at < to; at++) {
    // The line end may be two bytes and is no part of the record.
    if (at - from > limit + 1) return stopped('long')
    const c = bytes[at]!
    if (mode === 'quoted') {
      if (c === quote) mode = 'closed'
      else if (c === newline) {
        breaks++
        if (openCell < 0) openCell = cells.length
        if (known && at < known.through) {
          at = known.through - 1
          mode = known.mode
        }
      }
    } else if (mode === 'closed' && c === quote) mode = 'quoted'
    else if (c === delimiter) {
      endCell(at)
      cellFrom = at + 1
      quoted = stray = false
      mode = 'start'
    } else if (c === newline) {
      const end = bytes[at - 1] === carriageReturn ? at - 1 : at
      if (end - from > limit) return stopped('long')
      endCell(end)
      return { outcome: 'ended', end, next: at + 1, breaks, cells, openCell: cells.length - 1, mode }
    } else if (mode === 'start') {
      quoted = c === quote
      mode = quoted ? 'quoted' : 'plain'
    } else if (mode === 'closed' && !(c === carriageReturn && (at + 1 === to || bytes[at + 1] === newline))) {
      stray = true
      mode = 'plain'
    }
  }
  return stopped('open')
}

/** The cell's text without its quotes. */
export function cellText(bytes: Buffer, { from, to, quoted }: CsvCell): string {
  return quoted ? bytes.toString('utf8', from + 1, to - 1).replaceAll('""', '"') : bytes.toString('utf8', from, to)
}
