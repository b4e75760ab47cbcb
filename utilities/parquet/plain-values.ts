/** Values as they lie in a page, one behind the other, read into arrays for speed; those of a dictionary, too. */
import { putWhole } from '../values/columns.ts'

/** What a column's values become: numbers with the exact ones beside them, 64 bits as they are, or texts. */
export type Values = {
  readonly numbers: Float64Array
  readonly wide: Map<number, bigint>
  readonly longs: BigInt64Array
  /** Within `texts`. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  texts: Uint8Array
  textsEnd: number
}

const none = { numbers: new Float64Array(0), longs: new BigInt64Array(0), starts: new Int32Array(0) }

export const newValues = (of: 'numbers' | 'longs' | 'texts', count: number): Values => ({
  numbers: of === 'numbers' ? new Float64Array(count) : none.numbers,
  wide: new Map(),
  longs: of === 'longs' ? new BigInt64Array(count) : none.longs,
  starts: of === 'texts' ? new Int32Array(count) : none.starts,
  ends: of === 'texts' ? new Int32Array(count) : none.starts,
  texts: new Uint8Array(0),
  textsEnd: 0,
})

/** Parquet's physical types. */
export const physical = { boolean: 0, int32: 1, int64: 2, int96: 3, float: 4, double: 5, bytes: 6, fixed: 7 } as const

export type Physical = { readonly type: number; /** Of values of one length. */ readonly length: number; readonly isDecimal: boolean }

/** Puts `count` values that begin at `from` behind the first `at` of `to`. */
export function takePlain(to: Values, at: number, bytes: Uint8Array, from: number, count: number, of: Physical): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, bytes.length - from)
  const { numbers, wide, longs } = to
  switch (of.type) {
    case physical.boolean:
      for (let i = 0; i < count; i++) numbers[at + i] = (bytes[from + (i >> 3)]! >> (i & 7)) & 1
      return
    case physical.int32:
      for (let i = 0; i < count; i++) numbers[at + i] = view.getInt32(4 * i, true)
      return
    case physical.float:
      for (let i = 0; i < count; i++) numbers[at + i] = view.getFloat32(4 * i, true)
      return
    case physical.double:
      return takeWords(numbers, at, bytes, from, count)
    case physical.int64:
      if (longs.length > 0) return takeWords(longs, at, bytes, from, count)
      for (let i = 0; i < count; i++) {
        const high = view.getInt32(8 * i + 4, true)
        if (high < 0x1f_ffff && high > -0x20_0000) numbers[at + i] = high * 2 ** 32 + view.getUint32(8 * i, true)
        else putWhole(numbers, wide, at + i, view.getBigInt64(8 * i, true))
      }
      return
    case physical.bytes:
    case physical.fixed:
      return of.isDecimal ? takeDecimals(to, at, bytes, view, from, count, of) : takeTexts(to, at, bytes, view, from, count, of)
  }
  throw new RangeError(`values of type ${of.type}`)
}

/** As they lie there: the machine's order of bytes is Parquet's. */
function takeWords(to: Float64Array | BigInt64Array, at: number, bytes: Uint8Array, from: number, count: number): void {
  const part = bytes.subarray(from, from + 8 * count)
  if (part.length < 8 * count) throw new RangeError('a page ends too early')
  new Uint8Array(to.buffer, to.byteOffset + 8 * at, 8 * count).set(part)
}

function takeTexts(to: Values, at: number, bytes: Uint8Array, view: DataView, from: number, count: number, { length }: Physical): void {
  const shift = to.textsEnd - from
  const end = to.textsEnd + bytes.length - from
  if (end > to.texts.length) {
    const larger = new Uint8Array(to.textsEnd === 0 ? end : Math.max(end, 2 * to.texts.length))
    larger.set(to.texts.subarray(0, to.textsEnd))
    to.texts = larger
  }
  to.texts.set(bytes.subarray(from), to.textsEnd)
  to.textsEnd = end
  let place = from
  for (let i = 0; i < count; i++) {
    let size = length
    if (size === 0) {
      size = view.getUint32(place - from, true)
      place += 4
    }
    to.starts[at + i] = place + shift
    place += size
    to.ends[at + i] = place + shift
  }
  if (place > bytes.length) throw new RangeError('a page ends too early')
}

/** Two's complement, the highest byte first. */
function takeDecimals(to: Values, at: number, bytes: Uint8Array, view: DataView, from: number, count: number, { length }: Physical): void {
  let place = from
  for (let i = 0; i < count; i++) {
    let size = length
    if (size === 0) {
      size = view.getUint32(place - from, true)
      place += 4
    }
    let value = size > 0 ? BigInt((bytes[place]! << 24) >> 24) : 0n
    for (let byte = 1; byte < size; byte++) value = (value << 8n) | BigInt(bytes[place + byte]!)
    putWhole(to.numbers, to.wide, at + i, value)
    place += size
  }
}
