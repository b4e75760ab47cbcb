/** Records as columns: what every hot path works on. One Columns value holds a batch. */

/** NaN is null: no source of ours can carry a NaN. */
export type NumberColumn = { readonly kind: 'number'; readonly values: Float64Array }
/** Whole numbers up to 2^53. */
export type IntColumn = { readonly kind: 'int'; readonly values: Float64Array }
export type LongColumn = { readonly kind: 'long'; readonly values: BigInt64Array }
/** Days since 1970-01-01; noDay is null. */
export type DateColumn = { readonly kind: 'date'; readonly days: Int32Array }
/** UTF-8 bytes of text i are bytes[starts[i] .. ends[i]); a start of -1 is null. */
export type TextColumn = { readonly kind: 'text'; readonly bytes: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array }

export type Column = NumberColumn | IntColumn | LongColumn | DateColumn | TextColumn

export type Columns = {
  readonly count: number
  readonly byName: ReadonlyMap<string, Column>
}

export const noDay = -0x80000000

/** The rows at these indexes, in that order. Text bytes are shared, not copied. */
export const pick = ({ byName }: Columns, rows: Int32Array): Columns => ({
  count: rows.length,
  byName: new Map([...byName].map(([name, column]) => [name, pickColumn(column, rows)])),
})

const pickColumn = (column: Column, rows: Int32Array): Column => {
  switch (column.kind) {
    case 'number':
    case 'int':
      return { kind: column.kind, values: Float64Array.from(rows, (row) => column.values[row]!) }
    case 'long':
      return { kind: 'long', values: BigInt64Array.from(rows as unknown as Iterable<never>, (row) => column.values[row]!) }
    case 'date':
      return { kind: 'date', days: Int32Array.from(rows, (row) => column.days[row]!) }
    case 'text':
      return { kind: 'text', bytes: column.bytes, starts: Int32Array.from(rows, (row) => column.starts[row]!), ends: Int32Array.from(rows, (row) => column.ends[row]!) }
  }
}

/** A column that must be there and of that kind: anything else is a bug of ours. */
export function columnOf<K extends Column['kind']>({ byName }: Columns, name: string, kind: K): Extract<Column, { kind: K }> {
  const column = byName.get(name)
  if (column?.kind !== kind) throw new TypeError(`column ${name} is ${column?.kind ?? 'missing'}, not ${kind}`)
  return column as Extract<Column, { kind: K }>
}

/** The indexes of the values that pass, in order. */
export function rowsWhere(values: Float64Array, test: (value: number) => boolean): Int32Array {
  const rows = new Int32Array(values.length)
  let count = 0
  for (let row = 0; row < values.length; row++) if (test(values[row]!)) rows[count++] = row
  return rows.subarray(0, count)
}
