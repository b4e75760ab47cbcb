/** The part of the encoder that writes doubles, days and whole numbers: each is measured first, then written, over all rows. */
import { noDay, type DateColumn, type LongColumn } from '../../utilities/values/columns.ts'
import { putVarint, putZigzag, varintLength, zigzagLength } from '../wire.ts'
import { refuse } from './encode-places.ts'
import { firstDay, lastDay, type FieldPlace } from './field-places.ts'

/** False for NaN, which is null, and for the infinities, which only a feature can reach and no reader takes: null as well. */
export const isNumber = (value: number) => value - value === 0

export function measureDoubles(values: Float64Array, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    if (isNumber(value)) lengths[k]! += cell.nullable ? 9 : 8
    else if (value !== value && cell.nullable) lengths[k]! += 1
    else refuse(cell, rows[k]!, value)
  }
}

export function writeDoubles(values: Float64Array, rows: Int32Array, at: Uint32Array, out: Uint8Array, view: DataView, nullable: boolean) {
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

export function measureDays({ days }: DateColumn, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
  for (let k = 0; k < rows.length; k++) {
    const day = days[rows[k]!]!
    if (day >= firstDay && day <= lastDay) lengths[k]! += varintLength((day << 1) ^ (day >> 31), 0) + (cell.nullable ? 1 : 0)
    else if (day === noDay && cell.nullable) lengths[k]! += 1
    else refuse(cell, rows[k]!, day)
  }
}

export function writeDays({ days }: DateColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const day = days[rows[k]!]!
    const p = at[k]!
    if (nullable) out[p] = day === noDay ? 0 : 2
    at[k] = day === noDay ? p + 1 : putVarint(out, nullable ? p + 1 : p, (day << 1) ^ (day >> 31), 0)
  }
}

export function measureInts(values: Float64Array, rows: Int32Array, lengths: Uint32Array, cell: FieldPlace) {
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

export function writeInts(values: Float64Array, rows: Int32Array, at: Uint32Array, out: Uint8Array, nullable: boolean) {
  for (let k = 0; k < rows.length; k++) {
    const value = values[rows[k]!]!
    const p = at[k]!
    if (nullable) out[p] = value === value ? 2 : 0
    at[k] = value === value ? putZigzag(out, nullable ? p + 1 : p, value | 0, Math.floor(value / 0x100000000)) : p + 1
  }
}

/** The low and the high half of each long, in memory as every machine here has them (little-endian): BigInts would be made one by one. */
const halvesOf = ({ values }: LongColumn) => new Int32Array(values.buffer, values.byteOffset, values.length * 2)

export function measureLongs(column: LongColumn, rows: Int32Array, lengths: Uint32Array) {
  const halves = halvesOf(column)
  for (let k = 0; k < rows.length; k++) lengths[k]! += zigzagLength(halves[rows[k]! * 2]!, halves[rows[k]! * 2 + 1]!)
}

export function writeLongs(column: LongColumn, rows: Int32Array, at: Uint32Array, out: Uint8Array) {
  const halves = halvesOf(column)
  for (let k = 0; k < rows.length; k++) at[k] = putZigzag(out, at[k]!, halves[rows[k]! * 2]!, halves[rows[k]! * 2 + 1]!)
}
