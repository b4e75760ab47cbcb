/** Rows picked out of columns where some of them are not there: these are null. */
import { lengthOf, noDay, noFlag, type Column } from './columns.ts'

/** The values at these rows; null at those below 0. All of them, as they are, are the column itself. */
export function pickOrNull(column: Column, rows: Int32Array): Column {
  const count = rows.length
  if (count === lengthOf(column) && rows.every((row, i) => row === i)) return column
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
