/** Which rows of a column have no value. */
import { noDay, noFlag, type Column } from './columns.ts'

export function isNullAt(column: Column): (row: number) => boolean {
  switch (column.kind) {
    case 'number':
    case 'int':
    case 'integer':
    case 'decimal':
    case 'timestamp':
      return (row) => Number.isNaN(column.values[row]!)
    case 'long':
      return () => false
    case 'flag':
      return (row) => column.values[row] === noFlag
    case 'date':
      return (row) => column.days[row] === noDay
    case 'text':
      return (row) => column.starts[row]! < 0
  }
}
