/** Snappy as Kafka's producers write it: plain, or in the blocks of Java's stream. Only reading: Node cannot do it by itself. */

const streamMagic = Buffer.from('82534e4150505900', 'hex')
const streamHeader = 16

export function unsnappy(packed: Buffer): Buffer {
  if (!packed.subarray(0, streamMagic.length).equals(streamMagic)) return block(packed)
  const blocks: Buffer[] = []
  for (let at = streamHeader; at < packed.length; ) {
    const end = at + 4 + packed.readInt32BE(at)
    blocks.push(block(packed.subarray(at + 4, end)))
    at = end
  }
  return Buffer.concat(blocks)
}

function block(packed: Buffer): Buffer {
  let at = 0
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = packed.readUInt8(at++)
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  const out = Buffer.allocUnsafe(size)
  let filled = 0
  while (at < packed.length) {
    const tag = packed.readUInt8(at++)
    if ((tag & 3) === 0) {
      let length = tag >> 2
      if (length >= 60) {
        const bytes = length - 59
        length = packed.readUIntLE(at, bytes)
        at += bytes
      }
      length++
      if (packed.copy(out, filled, at, at + length) !== length) throw new RangeError('snappy: the text ends too early')
      at += length
      filled += length
      continue
    }
    const kind = tag & 3
    const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2)
    const back = kind === 1 ? ((tag >> 5) << 8) | packed.readUInt8(at) : packed.readUIntLE(at, kind === 2 ? 2 : 4)
    at += kind === 1 ? 1 : kind === 2 ? 2 : 4
    filled = repeat(out, filled, back, length)
  }
  if (filled !== size) throw new RangeError(`snappy: ${filled} of ${size} bytes`)
  return out
}

/** Copies what was written `back` bytes before, which may overlap with what it writes. Returns the new end. */
export function repeat(out: Buffer, filled: number, back: number, length: number): number {
  if (back === 0 || back > filled || filled + length > out.length) throw new RangeError('it points outside of what was unpacked')
  if (back >= length) out.copyWithin(filled, filled - back, filled - back + length)
  else for (let i = 0; i < length; i++) out[filled + i] = out[filled + i - back]!
  return filled + length
}
