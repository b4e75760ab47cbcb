/**
 * The hot way from framed Avro messages to columns; its plain twin is avsc, in test/codec.test.ts.
 *
 * A field at a time over a block of messages that fits the processor's cache; each message has its own place to read on from. What is not
 * wanted is read all the same, into columns that are thrown away: a message is checked in full, whoever reads it and however little of it.
 */
import { pick, type Column, type Columns, type FlagColumn } from '../../utilities/values/columns.ts'
import type { Batch } from '../../utilities/log.ts'
import { close, cutWithin, enter, fail, leave, open, type Bad, type Block } from './decode-block.ts'
import { readDecimals, readFlags, readWholes } from './decode-exact.ts'
import { changesChecked } from './decode-fact.ts'
import { readDays, readDoubles, readInts, readLongs } from './decode-numbers.ts'
import { readTexts } from './decode-texts.ts'
import { cellsOf, type FieldPlace } from './field-places.ts'
import type { AvroSchema } from './schema.ts'

export type Decoded = {
  readonly columns: Columns
  /** The message that each row comes from. */
  readonly rows: Int32Array
  /** The messages that are not what the schema says: they have no row. In order. */
  readonly bad: readonly Bad[]
}

/**
 * Reads messages from..to (to excluded): plain frames of exactly this schema. `wanted` are names of the schema; without it, every field.
 * Of a fact's changes it names the fact's fields, as they were and as they are; all that is told of the change itself is there anyway.
 */
export function decoder(schema: AvroSchema, wanted?: readonly string[]): (batch: Batch, from: number, to: number) => Decoded {
  const cells = cellsOf(schema)
  const unknown = wanted?.find((name) => !cells.some((cell) => ownName(cell) === name))
  if (unknown !== undefined) throw new TypeError(`${schema.name} has no field ${unknown}`)
  const isNested = cells.some(({ kind }) => kind === 'record')
  const isUnwanted = (cell: FieldPlace) =>
    cell.kind === 'marker' || (wanted && (!isNested || cell.within !== undefined) && !wanted.includes(ownName(cell)))
  const spare = (cell: FieldPlace) => (isUnwanted(cell) ? columnFor(cell, blockRows, none) : null)
  const readers = cells.filter(({ kind }) => kind !== 'null').map((cell) => ({ cell, unwanted: spare(cell) }))
  const at = new Int32Array(blockRows)
  const stop = new Int32Array(blockRows)
  const present = new Uint8Array(blockRows)
  const waiting = new Int32Array(blockRows)
  const checkChanges = changesChecked(schema)

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
    const byName = new Map(readers.flatMap(({ cell, unwanted }, i) => (unwanted ? [] : [[cell.column, targets[i]!] as const])))
    for (let start = 0; start < count; start += blockRows) {
      block.rows = Math.min(blockRows, count - start)
      block.first = from + start
      open(block, ends)
      let within: string | undefined
      for (let i = 0; i < readers.length; i++) {
        const { cell, unwanted } = readers[i]!
        if (within !== undefined && cell.within !== within) leave(block, waiting)
        within = cell.kind === 'record' ? cell.name : cell.within
        readCell(block, cell, targets[i]!, unwanted ? 0 : start)
        if (cell.kind === 'record') enter(block, waiting)
      }
      if (within !== undefined) leave(block, waiting)
      if (checkChanges) checkChanges(block, byName, start)
      close(block)
    }
    return settle({ count, byName }, from, bad)
  }
}

/** A field of a nested record is called as the record has it. */
const ownName = ({ name, within }: FieldPlace) => (within === undefined ? name : name.slice(within.length + 1))

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
    case 'record':
      return { kind: 'flag', values: new Uint8Array(count) }
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
  if (cell.kind === 'record') return (target as FlagColumn).values.set(block.present.subarray(0, block.rows), offset)
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
