/** What an expression gives for a batch: a column, and the rows that have no value, each with the reason. */
import { noDay, noFlag, type Column, type Wholes } from '../../utilities/values/columns.ts'

/** Reasons by row. */
export type Bad = ReadonlyMap<number, string>
export type Values<C extends Column = Column> = { readonly column: C; readonly bad?: Bad | undefined }

/** The first reason counts. */
export function bothBad(first: Bad | undefined, second: Bad | undefined): Bad | undefined {
  if (!first?.size || !second?.size) return first?.size ? first : second
  return new Map([...second, ...first])
}

/** What has a whole number a row: integers, decimals, and timestamps. */
export type WholesColumn = Extract<Column, Wholes & { readonly kind: 'integer' | 'decimal' | 'timestamp' }>

/** One at each row where there is no value. */
export function nullsOf(column: Column): Uint8Array {
  const length = column.kind === 'date' ? column.days.length : column.kind === 'text' ? column.starts.length : column.values.length
  const nulls = new Uint8Array(length)
  switch (column.kind) {
    case 'long':
      break
    case 'date':
      for (let row = 0; row < length; row++) nulls[row] = column.days[row] === noDay ? 1 : 0
      break
    case 'text':
      for (let row = 0; row < length; row++) nulls[row] = column.starts[row]! < 0 ? 1 : 0
      break
    case 'flag':
      for (let row = 0; row < length; row++) nulls[row] = column.values[row] === noFlag ? 1 : 0
      break
    default:
      for (let row = 0; row < length; row++) nulls[row] = column.values[row] === column.values[row] ? 0 : 1
  }
  return nulls
}
