/** Cells as JSON has them, written for speed: whole numbers beyond 2^53 and decimals of more than 15 digits are texts. */
import { noDay, noFlag, type Column, type TextColumn } from './columns.ts'
import { dayText } from './day.ts'
import { decimalText } from './decimal-text.ts'
import { isoText } from './timestamp.ts'

/** Of a row, the text that JSON.parse makes the value of. */
export type JsonAt = (row: number) => string

const mostDigits = 15

export function jsonOf(column: Column): JsonAt {
  switch (column.kind) {
    case 'number':
    case 'int': {
      const { values } = column
      return (row) => {
        const value = values[row]!
        return value === value ? `${value}` : 'null'
      }
    }
    case 'long':
      return (row) => `"${column.values[row]!}"`
    case 'integer': {
      const { values, wide } = column
      return (row) => {
        const value = values[row]!
        if (value !== value) return 'null'
        return Number.isSafeInteger(value) ? `${value}` : `"${wide?.get(row) ?? BigInt(value)}"`
      }
    }
    case 'decimal': {
      const { values, wide, scale } = column
      return (row) => {
        const value = values[row]!
        if (value !== value) return 'null'
        const text = decimalText(wide?.get(row) ?? value, scale)
        return Math.abs(value) < 10 ** mostDigits ? `${Number(text)}` : `"${text}"`
      }
    }
    case 'timestamp': {
      const { values, wide } = column
      return (row) => (values[row]! === values[row]! ? `"${isoText(wide?.get(row) ?? values[row]!)}"` : 'null')
    }
    case 'flag':
      return (row) => (column.values[row] === noFlag ? 'null' : column.values[row] === 1 ? 'true' : 'false')
    case 'date':
      return (row) => (column.days[row] === noDay ? 'null' : `"${dayText(column.days[row]!)}"`)
    case 'text':
      return textJson(column)
  }
}

function textJson({ bytes, starts, ends }: TextColumn): JsonAt {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (row) => (starts[row]! < 0 ? 'null' : JSON.stringify(buffer.utf8Slice(starts[row]!, ends[row]!)))
}
