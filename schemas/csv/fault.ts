/** Says what is wrong with a CSV record that cannot be taken. */
import { isUtf8 } from 'node:buffer'
import { noDay } from '../../utilities/values/columns.ts'
import { datePattern, dayOf, firstEventDay, numberPattern } from './cells.ts'
import { cellText, type CsvCell } from './walk.ts'
import type { Field } from '../record.ts'

/** The column is the header's name, or the cell's ordinal when the header has no name for it. */
export type Fault = { readonly column: string; readonly reason: string }

/** The first thing wrong: how the cells are written goes before how many there are, and both before what they say. */
export function faultOf(fields: readonly Field[], at: Field | undefined, bytes: Buffer, cells: readonly CsvCell[]): Fault | undefined {
  for (const [index, cell] of cells.entries()) {
    const fault = (reason: string): Fault => ({ column: columnName(fields, index), reason })
    if (!isUtf8(bytes.subarray(cell.from, cell.to))) return fault('bytes that are not UTF-8')
    if (cell.stray) return fault('text after the closing quote')
  }
  if (cells.length !== fields.length) {
    const first = Math.min(cells.length, fields.length)
    return {
      column: columnName(fields, first),
      reason: `${cells.length} ${cells.length === 1 ? 'cell' : 'cells'} where ${fields.length} are expected`,
    }
  }
  for (const [index, field] of fields.entries()) {
    const reason = wrongValue(field, cellText(bytes, cells[index]!), field === at)
    if (reason) return { column: field.csv, reason }
  }
  return undefined
}

export const columnName = (fields: readonly Field[], index: number): string => fields[index]?.csv ?? `${index + 1}`

function wrongValue(field: Field, text: string, isAt: boolean): string | undefined {
  if (text === '') return field.nullable ? undefined : 'empty'
  if (field.kind === 'number') {
    if (!numberPattern.test(text)) return 'not a number'
    return Number.isFinite(Number(text)) ? undefined : 'too large for a number'
  }
  if (field.kind === 'date') {
    if (!datePattern.test(text)) return 'not a date of the form YYYY-MM-DD'
    const day = dayOf(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8)))
    if (day === noDay) return 'not a real day'
    return isAt && day < firstEventDay ? 'before 1901' : undefined
  }
  if (field.kind !== 'text') return `of a kind that is not read from CSV: ${field.kind}`
  return Buffer.byteLength(text) > field.bytes ? `longer than ${field.bytes} bytes` : undefined
}
