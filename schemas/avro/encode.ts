/**
 * The hot way from columns to framed Avro messages, and from inflow messages to outflow ones; its plain twin is avsc, in
 * test/codec.test.ts.
 *
 * A field at a time over all rows: first how long each row gets, so that the buffer is exactly as large as it must be, then the bytes.
 * Each loop knows its type, and nothing is made per row.
 */
import { columnOf, lengthOf, type Column, type Columns, type FlagColumn } from '../../utilities/values/columns.ts'
import type { Batch } from '../../utilities/log.ts'
import { bytesFor, copy, indexes, startsOf, varint, type Rows } from './encode-places.ts'
import {
  measureDecimals,
  measureFlags,
  measureThere,
  measureWholes,
  writeDecimals,
  writeFlags,
  writeThere,
  writeWholes,
} from './encode-exact.ts'
import {
  isNumber,
  measureDays,
  measureDoubles,
  measureInts,
  measureLongs,
  writeDays,
  writeDoubles,
  writeInts,
  writeLongs,
} from './encode-numbers.ts'
import { measureTexts, writeTexts } from './encode-texts.ts'
import { cellsOf, isMarker, type FieldPlace } from './field-places.ts'
import type { AvroSchema } from './schema.ts'
import { frameHeader, headerBytes } from '../wire.ts'

export function encoder(schema: AvroSchema, id: string): (columns: Columns, rows?: Rows) => Batch {
  const cells = cellsOf(schema).filter(({ kind }) => kind !== 'null')
  const header = frameHeader(id)
  return (columns, which = { from: 0, to: columns.count }) => {
    const rows = indexes(which)
    const stretches = stretchesOf(cells, columns, rows)
    const ends = new Uint32Array(rows.length).fill(headerBytes)
    for (const { sources, present } of stretches) {
      const lengths = present ? new Uint32Array(present.rows.length) : ends
      for (const { cell, column } of sources) measure(cell, column, present?.rows ?? rows, lengths)
      if (present) for (let i = 0; i < lengths.length; i++) ends[present.indexes[i]!]! += lengths[i]!
    }
    const at = startsOf(ends)
    const out = bytesFor(ends)
    const view = new DataView(out.buffer)
    for (let k = 0; k < at.length; k++) {
      for (let i = 0, p = at[k]!; i < headerBytes; i++) out[p + i] = header[i]!
      at[k]! += headerBytes
    }
    for (const { sources, present } of stretches) {
      const places = present ? present.indexes.map((k) => at[k]!) : at
      for (const { cell, column } of sources) write(cell, column, present?.rows ?? rows, places, out, view)
      if (present) for (let i = 0; i < places.length; i++) at[present.indexes[i]!] = places[i]!
    }
    return { bytes: out, ends }
  }
}

type Source = { readonly cell: FieldPlace; readonly column: Column }
/** Of the fields of a nested record: the rows that have it, and which of the chosen ones they are. */
type Present = { readonly rows: Int32Array; readonly indexes: Uint32Array }
type Stretch = { readonly sources: Source[]; readonly present: Present | undefined }

/** Fields one behind the other that the same rows have. */
function stretchesOf(cells: readonly FieldPlace[], columns: Columns, rows: Int32Array): readonly Stretch[] {
  const stretches: Stretch[] = []
  let within: string | undefined
  for (const cell of cells) {
    if (stretches.length === 0 || cell.within !== within) {
      within = cell.within
      stretches.push({ sources: [], present: within === undefined ? undefined : presentIn(columnOf(columns, within, 'flag'), rows) })
    }
    stretches.at(-1)!.sources.push({ cell, column: sourceOf(cell, columns) })
  }
  return stretches
}

function presentIn({ values }: FlagColumn, rows: Int32Array): Present {
  const indexes = new Uint32Array(rows.length)
  let count = 0
  for (let k = 0; k < rows.length; k++) if (values[rows[k]!] === 1) indexes[count++] = k
  const chosen = new Int32Array(count)
  for (let i = 0; i < count; i++) chosen[i] = rows[indexes[i]!]!
  return { rows: chosen, indexes: indexes.subarray(0, count) }
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
  record: 'flag',
  string: 'text',
  bytes: 'text',
} as const

/** Adds the field's bytes to each length: lengths[k] belongs to rows[k]. */
function measure(cell: FieldPlace, column: Column, rows: Int32Array, lengths: Uint32Array) {
  if (cell.kind === 'record') return measureThere(column as FlagColumn, rows, lengths, cell)
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
function write({ kind, nullable }: FieldPlace, column: Column, rows: Int32Array, at: Uint32Array, out: Uint8Array, view: DataView) {
  if (kind === 'record') return writeThere(column as FlagColumn, rows, at, out)
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
