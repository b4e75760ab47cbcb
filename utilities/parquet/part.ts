/** Rows gathered from batches of any size, copied, until there are enough of them for a part. */
import type { Column, Columns } from '../values/columns.ts'
import type { SqlColumn } from '../warehouse.ts'
import { copyText, grown } from './bytes.ts'

export interface Part {
  /** Adds rows, at most up to so many in all, and returns the first that was not added. */
  add(rows: Columns, from: number, mostRows: number): number
  isFull(mostRows: number): boolean
  isEmpty(): boolean
  columns(): Columns
}

/** After so many rows it is looked at whether their texts are as many as can be held. */
const rowsPerLook = 1_024
const mostTextBytes = 256 << 20

export function newPart(columns: readonly SqlColumn[]): Part {
  const held = columns.map(({ name }) => ({ name, column: undefined as Column | undefined }))
  let count = 0
  let textBytes = 0

  return {
    add(rows, from, mostRows) {
      const end = Math.min(rows.count, from + mostRows - count, from + rowsPerLook)
      for (const one of held) {
        const more = rows.byName.get(one.name)
        if (!more) throw new TypeError(`there is no column ${one.name}`)
        one.column ??= emptyOf(more)
        const textBefore = usedText(one.column, count)
        one.column = joined(one.column, count, more, from, end)
        textBytes += usedText(one.column, count + end - from) - textBefore
      }
      count += end - from
      return end
    },
    isFull: (mostRows) => count >= mostRows || textBytes >= mostTextBytes,
    isEmpty: () => count === 0,
    columns: () => ({ count, byName: new Map(held.map(({ name, column }) => [name, cut(column!, count)])) }),
  }
}

/** Where the text of the last row ends: a null ends where the text before it does. */
const usedText = (column: Column, count: number): number => (column.kind === 'text' && count > 0 ? column.ends[count - 1]! : 0)

function emptyOf(column: Column): Column {
  switch (column.kind) {
    case 'number':
    case 'int':
      return { kind: column.kind, values: new Float64Array(0) }
    case 'long':
      return { kind: 'long', values: new BigInt64Array(0) }
    case 'integer':
    case 'decimal':
    case 'timestamp':
      return { ...column, values: new Float64Array(0), wide: new Map() }
    case 'flag':
      return { kind: 'flag', values: new Uint8Array(0) }
    case 'date':
      return { kind: 'date', days: new Int32Array(0) }
    case 'text':
      return { kind: 'text', bytes: new Uint8Array(0), starts: new Int32Array(0), ends: new Int32Array(0) }
  }
}

function appended<A extends Float64Array | BigInt64Array | Int32Array | Uint8Array>(
  to: A,
  count: number,
  more: A,
  from: number,
  end: number,
): A {
  const values = grown(to, count, count + end - from)
  values.set(more.subarray(from, end) as never, count)
  return values
}

function joined(to: Column, count: number, more: Column, from: number, end: number): Column {
  if (to.kind !== more.kind) throw new TypeError(`a column of ${to.kind}s goes on as one of ${more.kind}s`)
  const wanted = count + end - from
  switch (more.kind) {
    case 'number':
    case 'int':
      return { kind: more.kind, values: appended((to as typeof more).values, count, more.values, from, end) }
    case 'long':
      return { kind: 'long', values: appended((to as typeof more).values, count, more.values, from, end) }
    case 'flag':
      return { kind: 'flag', values: appended((to as typeof more).values, count, more.values, from, end) }
    case 'date':
      return { kind: 'date', days: appended((to as typeof more).days, count, more.days, from, end) }
    case 'integer':
    case 'decimal':
    case 'timestamp': {
      const before = to as typeof more
      for (const [row, value] of more.wide ?? [])
        if (row >= from && row < end) (before.wide as Map<number, bigint>).set(count + row - from, value)
      return { ...before, values: appended(before.values, count, more.values, from, end) }
    }
    case 'text': {
      const before = to as typeof more
      const starts = grown(before.starts, count, wanted)
      const ends = grown(before.ends, count, wanted)
      let at = usedText(to, count)
      let bytes = before.bytes
      for (let row = from, into = count; row < end; row++, into++) {
        const start = more.starts[row]!
        starts[into] = start < 0 ? -1 : at
        if (start >= 0) {
          const length = more.ends[row]! - start
          bytes = grown(bytes, at, at + length)
          copyText(bytes, at, more.bytes, start, length)
          at += length
        }
        ends[into] = at
      }
      return { kind: 'text', bytes, starts, ends }
    }
  }
}

function cut(column: Column, count: number): Column {
  switch (column.kind) {
    case 'number':
    case 'int':
      return { kind: column.kind, values: column.values.subarray(0, count) }
    case 'long':
      return { kind: 'long', values: column.values.subarray(0, count) }
    case 'integer':
    case 'decimal':
    case 'timestamp':
      return { ...column, values: column.values.subarray(0, count) }
    case 'flag':
      return { kind: 'flag', values: column.values.subarray(0, count) }
    case 'date':
      return { kind: 'date', days: column.days.subarray(0, count) }
    case 'text':
      return { ...column, starts: column.starts.subarray(0, count), ends: column.ends.subarray(0, count) }
  }
}
