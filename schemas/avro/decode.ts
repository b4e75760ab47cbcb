/**
 * The hot way from framed Avro messages to columns; its plain twin is avsc, in test/codec.test.ts.
 *
 * A field at a time over a block of messages that fits the processor's cache; each message has its own place to read on from. What is not
 * wanted is read all the same, into columns that are thrown away: a message is checked in full, whoever reads it and however little of it.
 */
import { noDay, pick, type Column, type Columns } from '../../utilities/values/columns.ts'
import type { Batch } from '../../utilities/log.ts'
import { cellsOf, firstDay, lastDay, type AvroSchema, type FieldPlace } from './schema.ts'
import { close, cutWithin, fail, fault, open, type Bad, type Block } from './decode-block.ts'
import { readDecimals, readFlags, readWholes } from './decode-exact.ts'
import { readTexts } from './decode-texts.ts'
import { long, readZigzag } from '../wire.ts'

export type Decoded = {
  readonly columns: Columns
  /** The message that each row comes from. */
  readonly rows: Int32Array
  /** The messages that are not what the schema says: they have no row. In order. */
  readonly bad: readonly Bad[]
}

/**
 * Reads messages from..to (to excluded): plain frames of exactly this schema. `wanted` are names of the schema; without it, every field.
 */
export function decoder(schema: AvroSchema, wanted?: readonly string[]): (batch: Batch, from: number, to: number) => Decoded {
  const cells = cellsOf(schema)
  const unknown = wanted?.find((name) => !cells.some((cell) => cell.name === name))
  if (unknown !== undefined) throw new TypeError(`${schema.name} has no field ${unknown}`)
  const isUnwanted = ({ name, kind }: FieldPlace) => kind === 'marker' || (wanted && !wanted.includes(name))
  const spare = (cell: FieldPlace) => (isUnwanted(cell) ? columnFor(cell, blockRows, none) : null)
  const readers = cells.filter(({ kind }) => kind !== 'null').map((cell) => ({ cell, unwanted: spare(cell) }))
  const at = new Int32Array(blockRows)
  const stop = new Int32Array(blockRows)
  const present = new Uint8Array(blockRows)

  return ({ bytes, ends }, from, to) => {
    const count = to - from
    const bad: Bad[] = []
    const targets = readers.map(({ cell, unwanted }) => unwanted ?? columnFor(cell, count, bytes))
    const block: Block = {
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      at,
      stop,
      present,
      rows: 0,
      first: from,
      bad,
    }
    for (let start = 0; start < count; start += blockRows) {
      block.rows = Math.min(blockRows, count - start)
      block.first = from + start
      open(block, ends)
      for (let i = 0; i < readers.length; i++) readCell(block, readers[i]!.cell, targets[i]!, readers[i]!.unwanted ? 0 : start)
      close(block)
    }
    const byName = new Map(readers.flatMap(({ cell, unwanted }, i) => (unwanted ? [] : [[cell.column, targets[i]!] as const])))
    return settle({ count, byName }, from, bad)
  }
}

/** Small enough that a block of messages stays in the cache from the first field to the last. */
const blockRows = 512
const none = new Uint8Array(0)

function columnFor({ kind, scale }: FieldPlace, count: number, bytes: Uint8Array): Column {
  switch (kind) {
    case 'double':
      return { kind: 'number', values: new Float64Array(count) }
    case 'date':
      return { kind: 'date', days: new Int32Array(count) }
    case 'long':
      return { kind: 'long', values: new BigInt64Array(count) }
    case 'integer':
    case 'timestamp':
      return { kind, values: new Float64Array(count), wide: new Map() }
    case 'decimal':
      return { kind, scale, values: new Float64Array(count), wide: new Map() }
    case 'flag':
      return { kind, values: new Uint8Array(count) }
    case 'string':
    case 'bytes':
      return { kind: 'text', bytes, starts: new Int32Array(count), ends: new Int32Array(count) }
    default:
      return { kind: 'int', values: new Float64Array(count) }
  }
}

function settle(columns: Columns, from: number, bad: Bad[]): Decoded {
  const rows = new Int32Array(columns.count)
  for (let i = 0; i < rows.length; i++) rows[i] = from + i
  if (bad.length === 0) return { columns, rows, bad }
  bad.sort((a, b) => a.index - b.index)
  const out = new Set(bad.map(({ index }) => index))
  const kept = rows.filter((index) => !out.has(index))
  return {
    columns: pick(
      columns,
      kept.map((index) => index - from),
    ),
    rows: kept,
    bad,
  }
}

/** Values go to target[offset ..). */
function readCell(block: Block, cell: FieldPlace, target: Column, offset: number) {
  readBranches(block, cell)
  switch (target.kind) {
    case 'number':
      return readDoubles(block, cell, target.values, offset)
    case 'date':
      return readDays(block, cell, target.days, offset)
    case 'integer':
    case 'timestamp':
      return readWholes(block, cell, target, offset)
    case 'decimal':
      return readDecimals(block, cell, target, offset)
    case 'flag':
      return readFlags(block, cell, target, offset)
    case 'text':
      return readTexts(block, cell, target.starts, target.ends, offset)
    case 'int':
      return readInts(block, cell, target.values, offset)
    case 'long':
      return readLongs(block, cell, new Int32Array(target.values.buffer), offset)
  }
}

/** Finds out which messages have a value of this field to read; in the others it is null, or they are bad. */
function readBranches(block: Block, cell: FieldPlace) {
  const { bytes, at, stop, present, rows } = block
  for (let row = 0; row < rows; row++) {
    const p = at[row]!
    if (p < 0 || !cell.nullable) {
      present[row] = p < 0 ? 0 : 1
      continue
    }
    const branch = p < stop[row]! ? bytes[p]! : -1
    present[row] = branch === 2 ? 1 : 0
    if (branch === 0 || branch === 2) at[row] = p + 1
    else fail(block, row, branch < 0 ? cutWithin(cell.name) : `field ${cell.name} has a union branch that the schema has not`)
  }
}

function readDoubles(block: Block, { name }: FieldPlace, values: Float64Array, offset: number) {
  const { view, at, stop, present, rows } = block
  for (let row = 0; row < rows; row++) {
    values[offset + row] = NaN
    if (present[row] === 0) continue
    const p = at[row]!
    if (p + 8 > stop[row]!) {
      fail(block, row, cutWithin(name))
      continue
    }
    const value = view.getFloat64(p, true)
    if (value - value !== 0) fail(block, row, `field ${name} is ${value}`)
    else {
      values[offset + row] = value
      at[row] = p + 8
    }
  }
}

function readDays(block: Block, { name }: FieldPlace, days: Int32Array, offset: number) {
  const { bytes, at, stop, present, rows } = block
  for (let row = 0; row < rows; row++) {
    days[offset + row] = noDay
    if (present[row] === 0) continue
    const next = readZigzag(bytes, at[row]!, stop[row]!)
    const day = long[0]!
    if (next < 0 || long[1] !== day >> 31 || day < firstDay || day > lastDay) {
      fail(block, row, fault(name, next) ?? `field ${name} is a day outside the years 0 to 9999`)
    } else {
      days[offset + row] = day
      at[row] = next
    }
  }
}

function readInts(block: Block, { name, kind }: FieldPlace, values: Float64Array, offset: number) {
  const { bytes, at, stop, present, rows } = block
  const most = kind === 'int' ? 0x7fffffff : Number.MAX_SAFE_INTEGER
  const least = kind === 'int' ? -0x80000000 : Number.MIN_SAFE_INTEGER
  for (let row = 0; row < rows; row++) {
    values[offset + row] = NaN
    if (present[row] === 0) continue
    const next = readZigzag(bytes, at[row]!, stop[row]!)
    const value = long[1]! * 0x100000000 + (long[0]! >>> 0)
    if (next < 0 || value > most || value < least)
      fail(block, row, fault(name, next) ?? `field ${name} is beyond ${kind === 'int' ? '32' : '53'} bits`)
    else {
      values[offset + row] = value
      at[row] = next
    }
  }
}

/** `halves` are the low and the high half of each long: BigInts would be made one by one. */
function readLongs(block: Block, { name }: FieldPlace, halves: Int32Array, offset: number) {
  const { bytes, at, stop, present, rows } = block
  for (let row = 0; row < rows; row++) {
    if (present[row] === 0) continue
    const next = readZigzag(bytes, at[row]!, stop[row]!)
    if (next < 0) fail(block, row, fault(name, next)!)
    else {
      halves[(offset + row) * 2] = long[0]!
      halves[(offset + row) * 2 + 1] = long[1]!
      at[row] = next
    }
  }
}
