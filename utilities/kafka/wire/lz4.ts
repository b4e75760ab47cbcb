/**
 * LZ4 frames as Kafka's producers write them. Only reading: Node cannot do it by itself. Kafka's own checksum covers the bytes, so LZ4's
 * are passed over.
 */
import { literalTo, repeat } from './snappy-block.ts'

const magic = 0x184d2204
/** The sizes that a block can have at most, by the number in the frame's descriptor. */
const blockSizes: { readonly [number: number]: number } = { 4: 65_536, 5: 262_144, 6: 1_048_576, 7: 4_194_304 }

export function unlz4(packed: Buffer): Buffer {
  if (packed.readUInt32LE(0) !== magic) throw new RangeError('lz4: it is no frame')
  const flags = packed.readUInt8(4)
  const largest = blockSizes[(packed.readUInt8(5) >> 4) & 7]
  if (largest === undefined || flags >> 6 !== 1 || flags & 1) throw new RangeError('lz4: the frame is of an unknown kind')
  const sized = (flags & 8) !== 0
  const checkedBlocks = (flags & 16) !== 0
  let out = Buffer.allocUnsafe(sized ? Number(packed.readBigUInt64LE(6)) : 4 * packed.length)
  let filled = 0
  for (let at = 7 + (sized ? 8 : 0); ;) {
    const header = packed.readUInt32LE(at)
    if (header === 0) return out.subarray(0, filled)
    const size = header & 0x7fffffff
    at += 4
    if (out.length < filled + largest && !sized) {
      const larger = Buffer.allocUnsafe(Math.max(2 * out.length, filled + largest))
      out.copy(larger, 0, 0, filled)
      out = larger
    }
    if (header >>> 31) filled += packed.copy(out, filled, at, at + size)
    else filled = unpackBlock(packed.subarray(at, at + size), out, filled)
    at += size + (checkedBlocks ? 4 : 0)
  }
}

/** Returns the new end of what was unpacked. */
function unpackBlock(packed: Uint8Array, out: Uint8Array, start: number): number {
  let filled = start
  let at = 0
  /** What does not fit into four bits goes on in as many bytes as are full, and one more. */
  const rest = () => {
    let more = 0
    for (let byte = 255; byte === 255; more += byte) {
      if (at >= packed.length) throw new RangeError('lz4: a length ends too early')
      byte = packed[at++]!
    }
    return more
  }
  while (at < packed.length) {
    const token = packed[at++]!
    let literals = token >> 4
    if (literals === 15) literals += rest()
    filled = literalTo(out, filled, packed, at, literals)
    at += literals
    // The last sequence of a block has literals only.
    if (at >= packed.length) break
    if (at + 2 > packed.length) throw new RangeError('lz4: a place ends too early')
    const back = packed[at]! | (packed[at + 1]! << 8)
    at += 2
    let length = token & 15
    if (length === 15) length += rest()
    filled = repeat(out, filled, back, length + 4)
  }
  return filled
}
