/** The cells of a column as texts that say all of them, to the last digit. */
import { noDay, noFlag, type Column, type Wholes } from './columns.ts'
import { dayText } from './day.ts'
import { decimalText } from './decimal-text.ts'
import { isoText } from './timestamp.ts'

/** null where there is none. */
export type TextAt = (row: number) => string | null

export function textsOf(column: Column): TextAt {
  switch (column.kind) {
    case 'number':
    case 'int':
      return (row) => (Number.isNaN(column.values[row]!) ? null : String(column.values[row]))
    case 'long':
      return (row) => String(column.values[row])
    case 'integer':
      return wholeTexts(column, String)
    case 'decimal':
      return wholeTexts(column, (value) => decimalText(value, column.scale))
    case 'timestamp':
      return wholeTexts(column, isoText)
    case 'flag':
      return (row) => (column.values[row] === noFlag ? null : String(column.values[row] === 1))
    case 'date':
      return (row) => (column.days[row] === noDay ? null : dayText(column.days[row]!))
    case 'text': {
      const { bytes, starts, ends } = column
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return (row) => (starts[row]! < 0 ? null : buffer.utf8Slice(starts[row]!, ends[row]!))
    }
  }
}

export const wholeTexts =
  ({ values, wide }: Wholes, textOf: (value: number | bigint) => string): TextAt =>
  (row) => {
    const value = values[row]!
    return value === value ? textOf(wide?.get(row) ?? value) : null
  }
