/** Rows picked out of columns where some of them are not there: these are null. */
import { lengthOf, noDay, noFlag, nullColumn, type Column } from './columns.ts'

/** The values at these rows; null at those below 0. All of them, as they are, are the column itself. */
export const pickOrNull = (column: Column, rows: Int32Array): Column => pickerOf(rows)(column)

/** Picks the same rows of one column after the other: what they all have in common is looked at once. */
export function pickerOf(rows: Int32Array): (column: Column) => Column {
  let [isAll, isNone] = [true, true]
  for (let i = 0; i < rows.length; i++) {
    if (rows[i] !== i) isAll = false
    if (rows[i]! >= 0) isNone = false
  }
  return (column) => {
    if (isAll && rows.length === lengthOf(column)) return column
    return isNone && column.kind !== 'int' && column.kind !== 'long' ? nullColumn(column, rows.length) : picked(column, rows)
  }
}

function picked(column: Column, rows: Int32Array): Column {
  const count = rows.length
  switch (column.kind) {
    case 'text': {
      const starts = new Int32Array(count)
      const ends = new Int32Array(count)
      for (let i = 0; i < count; i++) {
        starts[i] = rows[i]! < 0 ? -1 : column.starts[rows[i]!]!
        ends[i] = rows[i]! < 0 ? -1 : column.ends[rows[i]!]!
      }
      return { kind: 'text', bytes: column.bytes, starts, ends }
    }
    case 'date': {
      const days = new Int32Array(count)
      for (let i = 0; i < count; i++) days[i] = rows[i]! < 0 ? noDay : column.days[rows[i]!]!
      return { kind: 'date', days }
    }
    case 'flag': {
      const values = new Uint8Array(count)
      for (let i = 0; i < count; i++) values[i] = rows[i]! < 0 ? noFlag : column.values[rows[i]!]!
      return { kind: 'flag', values }
    }
    case 'long': {
      const values = new BigInt64Array(count)
      for (let i = 0; i < count; i++) values[i] = rows[i]! < 0 ? 0n : column.values[rows[i]!]!
      return { kind: 'long', values }
    }
    default: {
      const values = new Float64Array(count)
      for (let i = 0; i < count; i++) values[i] = rows[i]! < 0 ? NaN : column.values[rows[i]!]!
      if (column.kind === 'number' || column.kind === 'int') return { kind: column.kind, values }
      if (!column.wide) return { ...column, values }
      const wide = new Map<number, bigint>()
      for (let i = 0; i < count; i++) {
        const value = rows[i]! < 0 ? undefined : column.wide.get(rows[i]!)
        if (value !== undefined) wide.set(i, value)
      }
      return { ...column, values, wide }
    }
  }
}
