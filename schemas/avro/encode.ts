/**
 * The hot way from columns to framed Avro messages, and from inflow messages to outflow ones; its plain twin is avsc, in
 * test/codec.test.ts.
 *
 * A field at a time over all rows: first how long each row gets, so that the buffer is exactly as large as it must be, then the bytes.
 * Each loop knows its type, and nothing is made per row.
 */
import { columnOf, lengthOf, noDay } from '../../utilities/values/columns.ts'
import type { Column, Columns, DateColumn, LongColumn } from '../../utilities/values/columns.ts'
import type { Batch } from '../../utilities/log.ts'
import { cellsOf, firstDay, isMarker, lastDay, type AvroSchema, type FieldPlace } from './schema.ts'
import { bytesFor, copy, indexes, refuse, startsOf, varint, type Rows } from './encode-places.ts'
import { measureDecimals, measureFlags, measureWholes, writeDecimals, writeFlags, writeWholes } from './encode-exact.ts'
import { measureTexts, writeTexts } from './encode-texts.ts'
import { frameHeader, headerBytes, putVarint, putZigzag, varintLength, zigzagLength } from '../wire.ts'

export function encoder(schema: AvroSchema, id: string): (columns: Columns, rows?: Rows) => Batch {
  const cells = cellsOf(schema).filter(({ kind }) => kind !== 'null')
  const header = frameHeader(id)
  return (columns, which = { from: 0, to: columns.count }) => {
    const rows = indexes(which)
    const sources = cells.map((cell) => ({ cell, column: sourceOf(cell, columns) }))
    const ends = new Uint32Array(rows.length).fill(headerBytes)
    for (const { cell, column } of sources) measure(cell, column, rows, ends)
    const at = startsOf(ends)
    const out = bytesFor(ends)
    const view = new DataView(out.buffer)
    for (let k = 0; k < at.length; k++) {
      for (let i = 0, p = at[k]!; i < headerBytes; i++) out[p + i] = header[i]!
      at[k]! += headerBytes
    }
    for (const { cell, column } of sources) write(cell, column, rows, at, out, view)
    return { bytes: out, ends }
  }
}

/** Makes outflow messages of inflow ones: a new header, the payload as it is, what the engine adds. Value k of a feature is of rows[k]. */
export function splicer(rowSchema: AvroSchema, id: string) {
  const cells = cellsOf(rowSchema)
  const added = cells.slice(cells.findIndex(({ name }) => name === '_modified_ts') + 2, -1)
  const marker = cells.at(-1)!
  const isRow = isMarker(marker) && cells.some(({ name }) => name === '_modified_ts') && added.every(({ nullable }) => nullable)
  if (!isRow) throw new TypeError(`${rowSchema.name} is no row schema`)
  const markerBytes = marker.kind === 'null' ? 0 : 1
  const header = frameHeader(id)

  return (inflow: Batch, which: Rows, features: readonly Column[], modifiedNs: bigint, version: number): Batch => {
    const rows = indexes(which)
    const each = indexes({ from: 0, to: rows.length })
    if (features.length !== added.length || features.some((column) => lengthOf(column) < rows.length)) {
      const given = `${features.length} of ${features.map(lengthOf).join()}`
      throw new TypeError(`${rowSchema.name} needs ${added.length} features of ${rows.length} values, not ${given}`)
    }
    const stamp = Uint8Array.of(...varint(modifiedNs), ...varint(BigInt(version)))
    const ends = new Uint32Array(rows.length)
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k]!
      const start = row === 0 ? 0 : inflow.ends[row - 1]!
      const length = inflow.ends[row]! - start
      if (!(length >= headerBytes) || inflow.bytes[start + 1] !== 0) throw new TypeError(`message ${row} is no plain framed message`)
      ends[k] = length + stamp.length + markerBytes
    }
    for (const [i, cell] of added.entries()) {
      const column = features[i]!
      if (column.kind !== 'number') measure(cell, column, each, ends)
      else for (let k = 0; k < rows.length; k++) ends[k]! += isNumber(column.values[k]!) ? 9 : 1
    }
    const at = startsOf(ends)
    const out = bytesFor(ends)
    const view = new DataView(out.buffer)
    const { bytes: source, ends: sourceEnds } = inflow
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k]!
      let p = at[k]!
      // The old header is copied along and then overwritten: one copy of one stretch.
      p = copy(source, row === 0 ? 0 : sourceEnds[row - 1]!, sourceEnds[row]!, out, p)
      for (let i = 0; i < stamp.length; i++) out[p++] = stamp[i]!
      for (let i = 0, start = at[k]!; i < headerBytes; i++) out[start + i] = header[i]!
      at[k] = p
    }
    for (const [i, cell] of added.entries()) write(cell, features[i]!, each, at, out, view)
    if (markerBytes > 0) for (let k = 0; k < rows.length; k++) out[at[k]!] = 0
    const keys = inflow.keys
    return keys ? { bytes: out, ends, keys: Array.from(rows, (row) => keys[row]!) } : { bytes: out, ends }
  }
}

/** The column that holds a field; a long may come in either kind. */
function sourceOf(cell: FieldPlace, columns: Columns): Column {
  if (cell.kind === 'marker') return { kind: 'int', values: new Float64Array(columns.count).fill(NaN) }
  const isLong = cell.kind === 'long' && columns.byName.get(cell.column)?.kind === 'long'
  return columnOf(columns, cell.column, isLong ? 'long' : columnKinds[cell.kind])
}

const columnKinds = {
  double: 'number',
  int: 'int',
  seq: 'int',
  long: 'int',
  null: 'int',
  integer: 'integer',
  decimal: 'decimal',
  date: 'date',
  timestamp: 'timestamp',
  flag: 'flag',
  string: 'text',
  bytes: 'text',
} as const

/** Adds the field's bytes to each length: lengths[k] belongs to rows[k]. */
function measure(cell: FieldPlace, column: Column, rows: Int32Array, lengths: Uint32Array) {
  switch (column.kind) {
    case 'number':
      return measureDoubles(column.values, rows, lengths, cell)
    case 'int':
      return measureInts(column.values, rows, lengths, cell)
    case 'long':
      return measureLongs(column, rows, lengths)
    case 'integer':
    case 'timestamp':
      return measureWholes(column, rows, lengths, cell)
    case 'decimal':
      return measureDecimals(column, rows, lengths, cell)
    case 'flag':
      return measureFlags(column, rows, lengths, cell)
    case 'date':
      return measureDays(column, rows, lengths, cell)
    case 'text':
      return measureTexts(column, rows, lengths, cell)
  }
}

/** Writes the field at each place and moves the place behind it: at[k] belongs to rows[k]. */
function write({ nullable }: FieldPlace, column: Column, rows: Int32Array, at: Uint32Array, out: Uint8Array, view: DataView) {
  switch (column.kind) {
    case 'number':
      return writeDoubles(column.values, rows, at, out, view, nullable)
    case 'int':
      return writeInts(column.values, rows, at, out, nullable)
    case 'long':
      return writeLongs(column, rows, at, out)
    case 'integer':
    case 'timestamp':
      return writeWholes(column, rows, at, out, nullable)
    case 'decimal':
      return writeDecimals(column, rows, at, out, nullable)
    case 'flag':
      return writeFlags(column, rows, at, out, nullable)
    case 'date':
      return writeDays(column, rows, at, out, nullable)
    case 'text':
      return writeTexts(column, rows, at, out, nullable)
  }
}

/** False for NaN, which is null, and for the infinities, which only a feature can reach and no reader takes: null as well. */
const isNumber = (value: number) => value - value === 0

function measureDoubles(values: Float64Array, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    if (isNumber(value)) lengths[k]! += cell.nullable ? 9 : 8
    else if (value !== value && cell.nullable) lengths[k]! += 1
    else refuse(cell, rows[k]!, value)
  }
}

function writeDoubles(values: Float64Array, rows: Int32Array, at: Uint32Array, out: Uint8Array, view: DataView, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    let p = at[k]!
    if (isNumber(value)) {
      if (nullable) out[p++] = 2
      view.setFloat64(p, value, true)
      at[k] = p + 8
    } else {
      out[p] = 0
      at[k] = p + 1
    }
  }
}

function measureDays({ days }: DateColumn, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  for (let k = 0; k < rows.length; k++) {
    const day = days[rows[k]!]!
    if (day >= firstDay && day <= lastDay) lengths[k]! += varintLength((day << 1) ^ (day >> 31), 0) + (cell.nullable ? 1 : 0)
    else if (day === noDay && cell.nullable) lengths[k]! += 1
    else refuse(cell, rows[k]!, day)
  }
}

function writeDays({ days }: DateColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const day = days[rows[k]!]!
    const p = at[k]!
    if (nullable) out[p] = day === noDay ? 0 : 2
    at[k] = day === noDay ? p + 1 : putVarint(out, nullable ? p + 1 : p, (day << 1) ^ (day >> 31), 0)
  }
}

function measureInts(values: Float64Array, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  const most = cell.kind === 'int' ? 0x7fffffff : Number.MAX_SAFE_INTEGER
  const least = cell.kind === 'int' ? -0x80000000 : Number.MIN_SAFE_INTEGER
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    const high = Math.floor(value / 0x100000000)
    if (value >= least && value <= most && Math.floor(value) === value)
      lengths[k]! += zigzagLength(value | 0, high) + (cell.nullable ? 1 : 0)
    else if (value !== value && cell.nullable) lengths[k]! += 1
    else refuse(cell, rows[k]!, value)
  }
}

function writeInts(values: Float64Array, rows: Int32Array, at: Uint32Array, out: Uint8Array, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    const p = at[k]!
    if (nullable) out[p] = value === value ? 2 : 0
    at[k] = value === value ? putZigzag(out, nullable ? p + 1 : p, value | 0, Math.floor(value / 0x100000000)) : p + 1
  }
}

/** The low and the high half of each long, in memory as every machine here has them (little-endian): BigInts would be made one by one. */
const halvesOf = ({ values }: LongColumn) => new Int32Array(values.buffer, values.byteOffset, values.length * 2)

function measureLongs(column: LongColumn, rows: Int32Array, lengths: Uint32Array) {
  const halves = halvesOf(column)
  for (let k = 0; k < rows.length; k++) lengths[k]! += zigzagLength(halves[rows[k]! * 2]!, halves[rows[k]! * 2 + 1]!)
}

function writeLongs(column: LongColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array) {
  const halves = halvesOf(column)
  for (let k = 0; k < rows.length; k++) at[k] = putZigzag(out, at[k]!, halves[rows[k]! * 2]!, halves[rows[k]! * 2 + 1]!)
}
