/** What operators take: of which kinds of fields they can be, and what they read of the column of such a field. */
import { noDay, type DateColumn, type NumberColumn, type TextColumn } from '../utilities/values/columns.ts'

export type FieldKind = keyof FieldValues
/** What a field holds, as the plain meaning of an operator sees it. */
export type FieldValues = { readonly number: number; readonly date: number; readonly text: string }
type FieldColumns = { readonly number: NumberColumn; readonly date: DateColumn; readonly text: TextColumn }
export type FieldColumn = FieldColumns[FieldKind]

export type Takes<Kind extends FieldKind = FieldKind, Input = unknown> = {
  readonly kinds: readonly Kind[]
  /** Once for every batch; the column is of one of these kinds. */
  read(column: FieldColumns[Kind]): Input
}

/** NaN is null. */
export const numbers: Takes<'number', Float64Array> = { kinds: ['number'], read: ({ values }) => values }

/** Of any field: a number where it has a value, NaN where it has none. */
export const presence: Takes<FieldKind, Float64Array> = {
  kinds: ['number', 'date', 'text'],
  read(column) {
    if (column.kind === 'number') return column.values
    const [places, none] = column.kind === 'text' ? [column.starts, -1] : [column.days, noDay]
    const present = new Float64Array(places.length).fill(1)
    for (let row = 0; row < present.length; row++) if (places[row] === none) present[row] = NaN
    return present
  },
}
