/** Says what is wrong with a CSV record that cannot be taken. */
import { isUtf8 } from 'node:buffer'
import { noDay } from '../../utilities/values/columns.ts'
import { amiss } from './amiss.ts'
import { firstEventDay, numberPattern } from './cells.ts'
import { dateAt } from './dates.ts'
import type { Draft } from './draft.ts'
import { flagAt, flagWords } from './flags.ts'
import type { CsvForm } from './form.ts'
import { timestampAt } from './timestamps.ts'
import { cellText, type CsvCell } from './walk.ts'
import { decimalAt, integerAt } from './wholes.ts'
import type { Field } from '../record.ts'

/** The column is the header's name, or the cell's ordinal when the header has no name for it. */
export type Fault = { readonly column: string; readonly reason: string }

/** The first thing wrong: how the cells are written goes before how many there are, and both before what they say. */
export function faultOf({ schema, columns: { names, fields }, form }: Draft, bytes: Buffer, cells: readonly CsvCell[]): Fault | undefined {
  for (const [index, cell] of cells.entries()) {
    const fault = (reason: string): Fault => ({ column: columnName(names, index), reason })
    if (fields[index] !== null && !isUtf8(bytes.subarray(cell.from, cell.to))) return fault('bytes that are not UTF-8')
    if (cell.stray) return fault('text after the closing quote')
  }
  if (cells.length !== names.length) {
    const first = Math.min(cells.length, names.length)
    return {
      column: columnName(names, first),
      reason: `${cells.length} ${cells.length === 1 ? 'cell' : 'cells'} where ${names.length} are expected`,
    }
  }
  for (const [index, name] of fields.entries()) {
    if (name === null) continue
    const reason = wrongCell(schema.fields[name]!, cellText(bytes, cells[index]!), form, name === schema.at)
    if (reason) return { column: names[index]!, reason }
  }
  return undefined
}

export const columnName = (names: readonly string[], index: number): string => names[index] ?? `${index + 1}`

function wrongCell(field: Field, text: string, form: CsvForm, isAt: boolean): string | undefined {
  const isNull = text === '' ? form.emptyIsNull : form.nulls.some((word) => word.equals(Buffer.from(text)))
  if (isNull) return field.nullable ? undefined : text === '' ? 'empty' : 'null'
  return (
    (text === '' && field.kind !== 'text' ? 'empty' : wrongValue(field, text, form)) ?? (isAt ? tooEarly(field, text, form) : undefined)
  )
}

const scratch = { values: new Float64Array(1), wide: new Map<number, bigint>(), days: new Int32Array(1), flags: new Uint8Array(1) }

/** What is wrong with a text that is not null. */
export function wrongValue(field: Field, text: string, form: CsvForm): string | undefined {
  const bytes = Buffer.from(`${text}\n`)
  const { values, wide, days, flags } = scratch
  switch (field.kind) {
    case 'text':
      return bytes.length - 1 > field.bytes ? `longer than ${field.bytes} bytes` : undefined
    case 'number':
      if (!numberPattern.test(text)) return 'not a number'
      return Number.isFinite(Number(text)) ? undefined : 'too large for a number'
    case 'integer':
      if (!/^[+-]?\d+$/.test(text)) return 'not a whole number'
      return integerAt(bytes, 0, values, wide, 0) === amiss.bits ? 'beyond 64 bits' : undefined
    case 'decimal': {
      if (!/^[+-]?\d+(\.\d+)?$/.test(text)) return 'not a decimal number: a sign, digits, a point, digits'
      const { digits, scale } = field
      const end = decimalAt(bytes, 0, digits, scale, values, wide, 0)
      if (end === amiss.scale) return `more than ${scale} digits behind the point`
      return end === amiss.whole ? `more than ${digits - scale} digits before the point` : undefined
    }
    case 'flag':
      return flagAt(bytes, 0, flags, 0) === text.length ? undefined : `not a flag: ${flagWords}`
    case 'date':
      if (dateAt(form.dates, bytes, 0, days, 0) !== bytes.length - 1) return `not a date of the form ${orForm('YYYY-MM-DD', form.dates)}`
      return days[0] === noDay ? 'not a real day' : undefined
    case 'timestamp': {
      if (!shapeOf(form.timestamps).test(text)) return `not a timestamp of the form ${orForm('YYYY-MM-DDThh:mm:ss', form.timestamps)}`
      return timestampReasons[timestampAt(form.timestamps, bytes, 0, values, wide, 0)]
    }
  }
}

const timestampReasons: { readonly [amiss: number]: string } = {
  [amiss.day]: 'not a real day',
  [amiss.time]: 'not a time of day',
  [amiss.fraction]: 'more than 6 digits of a second',
  [amiss.years]: 'not within the years 1 to 9999',
}

const orForm = (iso: string, form: { readonly name: string } | undefined) => (form ? `${iso} or ${form.name}` : iso)

function shapeOf(form: CsvForm['timestamps']): RegExp {
  const date = form?.date ? `(\\d{4}-\\d{2}-\\d{2}|${form.date.pattern})` : '\\d{4}-\\d{2}-\\d{2}'
  const time = '[T ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?(Z|[+-]\\d{2}(:\\d{2})?)?'
  return new RegExp(`^(${date}${time}${form?.micros === undefined ? '' : '|-?\\d+'})$`)
}

/** Of the field that says when it happened. */
function tooEarly(field: Field, text: string, form: CsvForm): string | undefined {
  const bytes = Buffer.from(`${text}\n`)
  const { values, wide, days } = scratch
  if (field.kind === 'date') dateAt(form.dates, bytes, 0, days, 0)
  else timestampAt(form.timestamps, bytes, 0, values, wide, 0)
  const day = field.kind === 'date' ? days[0]! : Math.floor(values[0]! / 86_400_000_000)
  return day < firstEventDay ? 'before 1901' : undefined
}
