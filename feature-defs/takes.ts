/** What operators read of the column of their field, once a batch. */
import type { Field } from '../schemas/record.ts'
import { noDay, noFlag, type Column } from '../utilities/values/columns.ts'
import type { FeatureColumn } from './feature-columns.ts'
import { daysIn, flagsIn, textsIn, wholesIn, type Values, type Whole } from './values.ts'

export type FieldKind = Field['kind']
export type FieldColumn = FeatureColumn

const known = new WeakMap<FieldColumn, Values>()

/** The value of each row, whatever it is: bare doubles wherever they say it all. Several features may be of one field. */
export function values(column: FieldColumn): Values {
  const made = known.get(column) ?? read(column)
  known.set(column, made)
  return made
}

function read(column: FieldColumn): Values {
  switch (column.kind) {
    case 'number':
      return column.values
    case 'integer':
    case 'decimal':
    case 'timestamp':
      return wholesIn(column)
    case 'date':
      return daysIn(column)
    case 'flag':
      return flagsIn(column)
    case 'text':
      return textsIn(column)
  }
}

/** Of a number, a whole number in units of its scale, or a flag as 1 and 0. */
export const numbers = (column: FieldColumn) => values(column) as ArrayLike<Whole>

/** As the nearest double. */
export function doubles(column: FieldColumn): Float64Array {
  if (column.kind !== 'decimal') return numbers(column.kind === 'integer' ? { ...column, wide: new Map() } : column) as Float64Array
  const { values, wide, scale } = column
  // Reading the text rounds once, where a division of what is rounded already would do so twice.
  return Float64Array.from(values, (value, row) => (value === value ? Number(`${wide?.get(row) ?? value}e-${scale}`) : NaN))
}

/** A number where the row has a value, NaN where it has none. */
export function presence(column: FieldColumn): Float64Array {
  if ('values' in column && column.kind !== 'flag') return column.values
  const [places, none] = placesOf(column)
  const present = new Float64Array(places.length).fill(1)
  for (let row = 0; row < present.length; row++) if (places[row] === none) present[row] = NaN
  return present
}

type Placed = Extract<Column, { kind: 'date' | 'text' | 'flag' }>
function placesOf(column: Placed): readonly [places: Int32Array | Uint8Array, none: number] {
  if (column.kind === 'text') return [column.starts, -1]
  return column.kind === 'date' ? [column.days, noDay] : [column.values, noFlag]
}
