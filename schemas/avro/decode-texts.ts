/**
 * Reads the texts of a field out of a block of messages: where each lies in the bytes, which must be UTF-8 and no longer than the field.
 */
import { isUtf8 } from 'node:buffer'
import { fail, fault, type Block } from './decode-block.ts'
import type { FieldPlace } from './field-places.ts'
import { long, readZigzag } from '../wire.ts'

export function readTexts(block: Block, { name, kind, most }: FieldPlace, starts: Int32Array, ends: Int32Array, offset: number) {
  const { bytes, view, at, stop, present, rows } = block
  for (let row = 0; row < rows; row++) {
    starts[offset + row] = -1
    ends[offset + row] = -1
    if (present[row] === 0) continue
    // A length below 64 is one even byte; an odd one is negative.
    let start = at[row]! + 1
    let length = start <= stop[row]! ? bytes[start - 1]! : -1
    if (length >= 0 && length < 0x80 && (length & 1) === 0) length >>= 1
    else {
      start = readZigzag(bytes, at[row]!, stop[row]!)
      length = long[1] === 0 ? long[0]! : -1
    }
    const end = start + length
    if (start < 0 || length < 0 || end > stop[row]!)
      fail(block, row, fault(name, start) ?? `field ${name} has a length that does not fit the message`)
    else if (length > most) fail(block, row, `field ${name} is longer than ${most} bytes`)
    else if (kind !== 'bytes' && !isAscii(bytes, view, start, end) && !isUtf8(bytes.subarray(start, end)))
      fail(block, row, `field ${name} is not UTF-8`)
    else {
      starts[offset + row] = start
      ends[offset + row] = end
      at[row] = end
    }
  }
}

/** Four bytes at a time, the last four once more: nearly every text is, and the full check makes an object. */
function isAscii(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
  let all = 0
  if (end - start < 4) for (let i = start; i < end; i++) all |= bytes[i]!
  else {
    all = view.getInt32(end - 4)
    for (let i = start; i < end - 4; i += 4) all |= view.getInt32(i)
  }
  return (all & 0x80808080) === 0
}
