/** Rows that are being gathered from messages: one typed array a field, and the bytes of all texts one behind the other. */
import { noDay, noFlag, type Column, type Columns } from '../../utilities/values/columns.ts'
import type { ForeignField } from './fields.ts'

/** A column has only those arrays that its kind needs. */
export type DraftColumn = {
  readonly of: ForeignField
  readonly numbers: Float64Array
  readonly wide: Map<number, bigint>
  readonly flags: Uint8Array
  readonly days: Int32Array
  readonly starts: Int32Array
  readonly ends: Int32Array
}

export type Draft = {
  readonly columns: readonly DraftColumn[]
  /** Rows that are whole; the next one is being put at this place. */
  count: number
  /** `textEnd` is where the texts of the row begin that is being put, `textAt` where the next of them will lie. */
  text: Buffer
  textEnd: number
  textAt: number
}

const none = { numbers: new Float64Array(0), flags: new Uint8Array(0), ints: new Int32Array(0) }

export const newDraft = (fields: readonly ForeignField[], capacity: number): Draft => ({
  columns: fields.map((of) => {
    const { kind } = of.field
    const isText = kind === 'text'
    const isNumeric = !isText && kind !== 'date' && kind !== 'flag'
    return {
      of,
      numbers: isNumeric ? new Float64Array(capacity) : none.numbers,
      wide: new Map(),
      flags: kind === 'flag' ? new Uint8Array(capacity) : none.flags,
      days: kind === 'date' ? new Int32Array(capacity) : none.ints,
      starts: isText ? new Int32Array(capacity) : none.ints,
      ends: isText ? new Int32Array(capacity) : none.ints,
    }
  }),
  count: 0,
  text: Buffer.allocUnsafe(0),
  textEnd: 0,
  textAt: 0,
})

/** The row that was put is whole. */
export function keepRow(draft: Draft): void {
  draft.count++
  draft.textEnd = draft.textAt
}

/** What was put of a row counts for nothing. */
export function dropRow(draft: Draft): void {
  draft.textAt = draft.textEnd
}

/** Room for so many more bytes of text. */
export function makeRoom(draft: Draft, more: number): void {
  if (draft.textAt + more <= draft.text.length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(1024, draft.text.length * 2, draft.textAt + more))
  larger.set(draft.text.subarray(0, draft.textAt))
  draft.text = larger
}

export function putNull({ of, numbers, wide, flags, days, starts, ends }: DraftColumn, row: number): void {
  switch (of.field.kind) {
    case 'text':
      starts[row] = ends[row] = -1
      break
    case 'date':
      days[row] = noDay
      break
    case 'flag':
      flags[row] = noFlag
      break
    default:
      numbers[row] = NaN
      // A row that was dropped may have left one there.
      if (wide.size > 0) wide.delete(row)
  }
}

/** The rows that are whole, by the fields' own names. */
export const columnsOf = (draft: Draft): Columns => ({
  count: draft.count,
  byName: new Map(draft.columns.map((column) => [column.of.own, columnOf(draft, column)])),
})

function columnOf({ count, text, textEnd }: Draft, { of: { field }, numbers, wide, flags, days, starts, ends }: DraftColumn): Column {
  switch (field.kind) {
    case 'number':
      return { kind: 'number', values: fit(numbers, count) }
    case 'date':
      return { kind: 'date', days: fit(days, count) }
    case 'flag':
      return { kind: 'flag', values: fit(flags, count) }
    case 'text':
      return { kind: 'text', bytes: text.subarray(0, textEnd), starts: fit(starts, count), ends: fit(ends, count) }
    case 'integer':
    case 'timestamp':
    case 'decimal': {
      wide.delete(count)
      const wholes = { values: fit(numbers, count), ...(wide.size > 0 && { wide }) }
      return field.kind === 'decimal' ? { kind: 'decimal', scale: field.scale, ...wholes } : { kind: field.kind, ...wholes }
    }
  }
}

const fit = <A extends Float64Array | Int32Array | Uint8Array>(values: A, count: number): A =>
  values.length === count ? values : (values.slice(0, count) as A)
