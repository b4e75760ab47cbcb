/**
 * Reads small whole numbers as Parquet packs them (`hybrid.ts` writes them), for speed: runs of one value, and values of a few bits each.
 */

/** Puts `count` values of so many bits into `to`, and returns how many of them are `counted`. */
export function takeHybrid(bytes: Uint8Array, from: number, end: number, bits: number, to: Int32Array, count: number, counted = 1): number {
  let at = from
  let filled = 0
  let found = 0
  const mask = bits === 32 ? -1 : (1 << bits) - 1
  while (filled < count) {
    if (at >= end) throw new RangeError('packed numbers end too early')
    let head = 0
    for (let shift = 0; ; shift += 7) {
      const one = bytes[at++]!
      head += (one & 0x7f) * 2 ** shift
      if (one < 0x80) break
    }
    const length = head >>> 1
    if ((head & 1) === 0) {
      let value = 0
      for (let shift = 0; shift < bits; shift += 8) value |= bytes[at++]! << shift
      const stop = Math.min(count, filled + length)
      if (value === counted) found += stop - filled
      to.fill(value, filled, stop)
      filled = stop
      continue
    }
    const stop = Math.min(count, filled + length * 8)
    const packedEnd = at + length * bits
    let held = 0
    let heldBits = 0
    for (; filled < stop; filled++) {
      let value = held
      if (heldBits < bits) {
        // What does not fit into 32 bits any more is taken from the next word.
        const low = heldBits
        held = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
        at += 4
        value |= low === 0 ? held : held << low
        const taken = bits - low
        held = taken === 32 ? 0 : held >>> taken
        heldBits = 32 - taken
      } else {
        held = bits === 32 ? 0 : held >>> bits
        heldBits -= bits
      }
      value &= mask
      if (value === counted) found++
      to[filled] = value
    }
    at = packedEnd
  }
  return found
}
