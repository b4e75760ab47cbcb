/** Avro's own numbers and lengths, read at a cursor: nothing that a message announces is believed before it is seen to be there. */
import { Unreadable } from '../../avro/generic.ts'
import { cutOff, long, readZigzag } from '../../wire.ts'
import type { Cursor } from './json-out.ts'

const deepest = 64

/** Into `long` of the wire: its low and its high half. */
export function readLong(c: Cursor): void {
  const at = readZigzag(c.bytes, c.at, c.end)
  if (at < 0) throw new Unreadable(at === cutOff ? 'it ends too early' : 'a number has more than 64 bits')
  c.at = at
}

/** Exact up to 2^53, which is more than anything here may count. */
export function readCount(c: Cursor): number {
  const byte = c.at < c.end ? c.bytes[c.at]! : 0x80
  // Most are small and not negative.
  if (byte < 0x80 && (byte & 1) === 0) {
    c.at++
    return byte >> 1
  }
  readLong(c)
  return long[1]! * 2 ** 32 + (long[0]! >>> 0)
}

/** Goes behind so many bytes, and returns where they begin. */
export function take(c: Cursor, bytes: number): number {
  const from = c.at
  if (bytes < 0 || bytes > c.end - from) throw new Unreadable('it ends too early')
  c.at = from + bytes
  return from
}

/** Bytes or a text, whose length comes first; returns where they begin, and the cursor is behind them. */
export const takeCounted = (c: Cursor): number => take(c, readCount(c))

/** Into a record, an array or a map. */
export function enter(c: Cursor, values: number): void {
  if (++c.depth > deepest) throw new Unreadable(`it is deeper than ${deepest} levels`)
  spend(c, values)
}

function spend(c: Cursor, values: number): void {
  c.left -= values
  if (c.left < 0) throw new Unreadable('it has more values than its bytes could hold')
}

/** Every item of an array or a map; blocks that say how long they are may be skipped. */
export function eachItem(c: Cursor, item: (c: Cursor) => void, skipping: boolean): void {
  enter(c, 1)
  for (;;) {
    let count = readCount(c)
    if (count === 0) break
    if (count < 0) {
      count = -count
      const bytes = readCount(c)
      if (skipping) {
        take(c, bytes)
        continue
      }
    }
    spend(c, count)
    for (let i = 0; i < count; i++) item(c)
  }
  c.depth--
}

const doubles = new DataView(new ArrayBuffer(8))

/** Little end first; a float has 4 bytes, a double 8. */
export function readFloating(c: Cursor, size: 4 | 8): number {
  const from = take(c, size)
  for (let i = 0; i < size; i++) doubles.setUint8(i, c.bytes[from + i]!)
  return size === 4 ? doubles.getFloat32(0, true) : doubles.getFloat64(0, true)
}
