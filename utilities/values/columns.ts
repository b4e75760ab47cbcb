/** Records as columns: what every hot path works on. One Columns value holds a batch. */

/** NaN is null: no source of ours can carry a NaN. */
export type NumberColumn = { readonly kind: 'number'; readonly values: Float64Array }
/** Whole numbers up to 2^53. */
type IntColumn = { readonly kind: 'int'; readonly values: Float64Array }
export type LongColumn = { readonly kind: 'long'; readonly values: BigInt64Array }
/** Whole numbers of any size: NaN is null. One beyond 2^53 is in `wide` by its row; `values` has the double nearest to it. */
export type Wholes = { readonly values: Float64Array; readonly wide?: ReadonlyMap<number, bigint> }
export type IntegerColumn = { readonly kind: 'integer' } & Wholes
/** Each is so many of 1 / 10^scale. */
export type DecimalColumn = { readonly kind: 'decimal'; readonly scale: number } & Wholes
/** Microseconds since 1970, in UTC. */
export type TimestampColumn = { readonly kind: 'timestamp' } & Wholes
/** 1 is true, 0 false; noFlag is null. */
export type FlagColumn = { readonly kind: 'flag'; readonly values: Uint8Array }
/** Days since 1970-01-01; noDay is null. */
export type DateColumn = { readonly kind: 'date'; readonly days: Int32Array }
/** UTF-8 bytes of text i are bytes[starts[i] .. ends[i]); a start of -1 is null. */
export type TextColumn = { readonly kind: 'text'; readonly bytes: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array }

export type Column =
  | NumberColumn
  | IntColumn
  | LongColumn
  | IntegerColumn
  | DecimalColumn
  | TimestampColumn
  | FlagColumn
  | DateColumn
  | TextColumn

export type Columns = {
  readonly count: number
  readonly byName: ReadonlyMap<string, Column>
  /** Whoever passes them on does not look at the arrays any more: they may go over to another thread as they are, which saves a copy. */
  readonly transferable?: true
}

export const noDay = -0x80000000
export const noFlag = 2

/** The whole number at a row, null where there is none. */
export const wholeAt = ({ values, wide }: Wholes, row: number): bigint | null =>
  values[row] !== values[row] ? null : (wide?.get(row) ?? BigInt(values[row]!))

/** Puts a whole number at a row; `wide` gets it where no double holds it for certain. */
export function putWhole(values: Float64Array, wide: Map<number, bigint>, row: number, value: bigint): void {
  values[row] = Number(value)
  if (!Number.isSafeInteger(values[row])) wide.set(row, value)
}

/** The rows at these indexes, in rising order. Text bytes are shared, not copied; every row is the columns themselves. */
export const pick = (columns: Columns, rows: Int32Array): Columns =>
  rows.length === columns.count
    ? columns
    : { count: rows.length, byName: new Map([...columns.byName].map(([name, column]) => [name, pickColumn(column, rows)])) }

function pickColumn(column: Column, rows: Int32Array): Column {
  switch (column.kind) {
    case 'number':
    case 'int':
      return { kind: column.kind, values: gather(column.values, rows, new Float64Array(rows.length)) }
    case 'long':
      return { kind: 'long', values: gather(column.values, rows, new BigInt64Array(rows.length)) }
    case 'integer':
    case 'timestamp':
    case 'decimal':
      return { ...column, values: gather(column.values, rows, new Float64Array(rows.length)), ...pickWide(column, rows) }
    case 'flag':
      return { kind: 'flag', values: gather(column.values, rows, new Uint8Array(rows.length)) }
    case 'date':
      return { kind: 'date', days: gather(column.days, rows, new Int32Array(rows.length)) }
    case 'text':
      return {
        kind: 'text',
        bytes: column.bytes,
        starts: gather(column.starts, rows, new Int32Array(rows.length)),
        ends: gather(column.ends, rows, new Int32Array(rows.length)),
      }
  }
}

function pickWide({ wide }: Wholes, rows: Int32Array): { readonly wide?: ReadonlyMap<number, bigint> } {
  if (!wide) return {}
  const picked = new Map<number, bigint>()
  for (let i = 0; i < rows.length; i++) {
    const value = wide.get(rows[i]!)
    if (value !== undefined) picked.set(i, value)
  }
  return { wide: picked }
}

/** A plain loop: typed arrays' own `from` with a function is ten times slower, and this is on every row's way. */
function gather<A extends Float64Array | BigInt64Array | Int32Array | Uint8Array>(from: A, rows: Int32Array, to: A): A {
  for (let i = 0; i < rows.length; i++) to[i] = from[rows[i]!]!
  return to
}

/** What may go over to another thread with the columns. An array that is a part of something larger stays, and is copied. */
export const transferableBuffers = ({ byName, transferable }: Columns): ArrayBuffer[] =>
  transferable
    ? [
        ...new Set(
          [...byName.values()]
            .flatMap(arraysOf)
            .filter(({ buffer, byteLength }) => byteLength === buffer.byteLength)
            .map(({ buffer }) => buffer as ArrayBuffer),
        ),
      ]
    : []

function arraysOf(column: Column): readonly ArrayBufferView[] {
  switch (column.kind) {
    case 'number':
    case 'int':
    case 'long':
    case 'integer':
    case 'timestamp':
    case 'decimal':
    case 'flag':
      return [column.values]
    case 'date':
      return [column.days]
    case 'text':
      return [column.bytes, column.starts, column.ends]
  }
}

export const lengthOf = (column: Column): number =>
  (column.kind === 'date' ? column.days : column.kind === 'text' ? column.starts : column.values).length

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

/** The rows with after < _seq <= until, of rows in order. */
export function between(columns: Columns, after: number, until: number): Columns {
  const seq = columnOf(columns, '_seq', 'int').values
  if (seq.length === 0 || (seq[0]! > after && seq.at(-1)! <= until)) return columns
  return pick(
    columns,
    rowsWhere(seq, (one) => one > after && one <= until),
  )
}
