/** Columns as plain rows, and plain rows as columns: dates are days, moments microseconds, decimals whole numbers of their last digit. */
import type { TableColumn } from '../utilities/tables.ts'
import { noDay, noFlag, putWhole, wholeAt, type Column, type Columns } from '../utilities/values/columns.ts'
import { textsFrom } from '../utilities/sql/cells.ts'

/** A whole number that no double holds for certain is a bigint. */
export type Plain = string | number | bigint | boolean | null
export type PlainRow = { readonly [name: string]: Plain }

export const columnsOf = (fields: { readonly [name: string]: TableColumn }, rows: readonly PlainRow[]): Columns => ({
  count: rows.length,
  byName: new Map([
    ...Object.entries(fields).map(([name, field]) => {
      return [
        name,
        columnOf(
          field,
          rows.map((row) => row[name] ?? null),
        ),
      ] as const
    }),
    ...['_seq', '_line'].map((name) => [name, { kind: 'int', values: Float64Array.from(rows, (_, row) => row + 1) }] as const),
  ]),
})

function columnOf({ kind, scale = 0 }: TableColumn, values: readonly Plain[]): Column {
  switch (kind) {
    case 'text':
      return textsFrom(values as readonly (string | null)[])
    case 'number':
      return { kind, values: Float64Array.from(values, (value) => (value === null ? NaN : Number(value))) }
    case 'flag':
      return { kind, values: Uint8Array.from(values, (value) => (value === null ? noFlag : value === true ? 1 : 0)) }
    case 'date':
      return { kind, days: Int32Array.from(values, (value) => (value === null ? noDay : Number(value))) }
    default: {
      const wholes = new Float64Array(values.length)
      const wide = new Map<number, bigint>()
      for (const [row, value] of values.entries())
        if (value === null) wholes[row] = NaN
        else putWhole(wholes, wide, row, BigInt(value))
      return kind === 'decimal' ? { kind, scale, values: wholes, wide } : { kind, values: wholes, wide }
    }
  }
}

export const rowsOf = ({ count, byName }: Columns): readonly PlainRow[] =>
  Array.from({ length: count }, (_, row) => Object.fromEntries([...byName].map(([name, column]) => [name, plainAt(column, row)])))

export function plainAt(column: Column, row: number): Plain {
  switch (column.kind) {
    case 'text':
      return column.starts[row]! < 0 ? null : Buffer.from(column.bytes.subarray(column.starts[row], column.ends[row])).toString()
    case 'date':
      return column.days[row] === noDay ? null : column.days[row]!
    case 'flag':
      return column.values[row] === noFlag ? null : column.values[row] === 1
    case 'long':
      return Number(column.values[row])
    case 'integer':
    case 'decimal':
    case 'timestamp': {
      const whole = wholeAt(column, row)
      return whole === null || !Number.isSafeInteger(Number(whole)) ? whole : Number(whole)
    }
    default:
      return Number.isNaN(column.values[row]) ? null : column.values[row]!
  }
}
