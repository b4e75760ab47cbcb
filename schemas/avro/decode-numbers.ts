/** The part of the decoder that reads doubles, days and whole numbers. Values go to the column from `offset` on. */
import { noDay } from '../../utilities/values/columns.ts'
import { long, readZigzag } from '../wire.ts'
import { cutWithin, fail, fault, type Block } from './decode-block.ts'
import { firstDay, lastDay, type FieldPlace } from './field-places.ts'

export function readDoubles(block: Block, { name }: FieldPlace, values: Float64Array, offset: number) {
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

export function readDays(block: Block, { name }: FieldPlace, days: Int32Array, offset: number) {
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

export function readInts(block: Block, { name, kind }: FieldPlace, values: Float64Array, offset: number) {
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
export function readLongs(block: Block, { name }: FieldPlace, halves: Int32Array, offset: number) {
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
