/** Snappy's block format, written for speed: Node has every other compression, but not this one. */

const blockSize = 1 << 16
const hashBits = 14
/** Where in the block four bytes of that hash were last seen. Used for block after block. */
const seen = new Uint16Array(1 << hashBits)
/** So near to the end of a block nothing is looked for, so that words can be read without a look at the end. */
const margin = 16

/** Room that is enough for the packed form of so many bytes. */
export const mostPacked = (length: number): number => 48 + length + Math.floor(length / 6)

/** Packs the bytes from..end into `out`, which has room, and returns how many bytes that took. */
export function packInto(out: Uint8Array, bytes: Uint8Array, from: number, end: number): number {
  const words = viewOf(bytes)
  const to = { bytes: out, words: viewOf(out) }
  let at = 0
  let rest = end - from
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[at++] = (rest & 0x7f) | 0x80
  out[at++] = rest
  for (let start = from; start < end; start += blockSize) at = packBlock(to, at, { bytes, words }, start, Math.min(end, start + blockSize))
  return at
}

type Viewed = { readonly bytes: Uint8Array; readonly words: DataView }

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength)

const hashOf = (word: number) => Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)

/** Greedy: takes the first repetition that the table of hashes finds. Returns the new end of `out`. */
function packBlock(out: Viewed, outAt: number, from: Viewed, start: number, end: number): number {
  const { words } = from
  let to = outAt
  /** What has been packed; from here to `at` there is nothing that was seen before. */
  let done = start
  if (end - start > margin) {
    seen.fill(0)
    const limit = end - margin
    let at = start + 1
    let word = words.getInt32(at, true)
    for (;;) {
      // The longer nothing is found, the further it leaps.
      let skip = 32
      let candidate: number
      for (;;) {
        const hash = hashOf(word)
        candidate = start + seen[hash]!
        seen[hash] = at - start
        if (words.getInt32(candidate, true) === word) break
        const leap = skip >> 5
        skip += leap
        at += leap
        if (at > limit) return literal(out.bytes, to, from.bytes, done, end)
        word = words.getInt32(at, true)
      }
      to = at - done <= margin ? shortLiteral(out, to, words, done, at - done) : literal(out.bytes, to, from.bytes, done, at)
      do {
        const back = at - candidate
        const matched = at
        at += 4
        candidate += 4
        let differing = 0
        while (at <= limit) {
          differing = words.getInt32(at, true) ^ words.getInt32(candidate, true)
          if (differing !== 0) break
          at += 4
          candidate += 4
        }
        // Of a word that differs, the bytes before the lowest bit that does are the same.
        if (differing !== 0) at += (31 - Math.clz32(differing & -differing)) >> 3
        else {
          while (at < end && from.bytes[at] === from.bytes[candidate]) {
            at++
            candidate++
          }
        }
        to = copy(out.bytes, to, back, at - matched)
        done = at
        if (at >= limit) return literal(out.bytes, to, from.bytes, done, end)
        seen[hashOf(words.getInt32(at - 1, true))] = at - 1 - start
        word = words.getInt32(at, true)
        const hash = hashOf(word)
        candidate = start + seen[hash]!
        seen[hash] = at - start
      } while (words.getInt32(candidate, true) === word)
      at++
      if (at > limit) break
      word = words.getInt32(at, true)
    }
  }
  return literal(out.bytes, to, from.bytes, done, end)
}

/** Up to as many bytes as may always be read and written here: all of them are, and what is too much is written over. */
function shortLiteral({ bytes, words }: Viewed, outAt: number, from: DataView, start: number, length: number): number {
  if (length === 0) return outAt
  bytes[outAt] = (length - 1) << 2
  words.setInt32(outAt + 1, from.getInt32(start, true), true)
  words.setInt32(outAt + 5, from.getInt32(start + 4, true), true)
  words.setInt32(outAt + 9, from.getInt32(start + 8, true), true)
  words.setInt32(outAt + 13, from.getInt32(start + 12, true), true)
  return outAt + 1 + length
}

function literal(out: Uint8Array, outAt: number, bytes: Uint8Array, from: number, end: number): number {
  const length = end - from
  let to = outAt
  if (length === 0) return to
  const last = length - 1
  if (last < 60) out[to++] = last << 2
  else if (last < 0x100) {
    out[to++] = 60 << 2
    out[to++] = last
  } else {
    out[to++] = 61 << 2
    out[to++] = last & 0xff
    out[to++] = last >> 8
  }
  if (length > 64) out.set(bytes.subarray(from, end), to)
  else for (let i = 0; i < length; i++) out[to + i] = bytes[from + i]!
  return to + length
}

function copy(out: Uint8Array, outAt: number, back: number, length: number): number {
  let to = outAt
  let rest = length
  while (rest > 0) {
    if (rest >= 4 && rest <= 11 && back < 2048) {
      out[to++] = 1 | ((rest - 4) << 2) | ((back >> 8) << 5)
      out[to++] = back & 0xff
      return to
    }
    // A rest of less than four bytes would not fit the short form.
    const part = rest > 64 ? (rest < 68 ? 60 : 64) : rest
    out[to++] = 2 | ((part - 1) << 2)
    out[to++] = back & 0xff
    out[to++] = back >> 8
    rest -= part
  }
  return to
}

/** Up to as many bytes a loop moves sooner than a call does. */
const fewBytes = 48

export function unpack(packed: Uint8Array): Buffer {
  let at = 0
  let size = 0
  for (let shift = 0; ; shift += 7) {
    if (at >= packed.length) throw new RangeError('snappy: the size ends too early')
    const byte = packed[at++]!
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  const out = Buffer.allocUnsafe(size)
  let filled = 0
  while (at < packed.length) {
    const tag = packed[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >> 2) + 1
      if (length > 60) {
        const bytes = length - 60
        length = wholeAt(packed, at, bytes) + 1
        at += bytes
      }
      filled = literalTo(out, filled, packed, at, length)
      at += length
      continue
    }
    let length = (tag >> 2) + 1
    let back: number
    if (kind === 2) {
      // That a byte is missing is found in the end.
      back = packed[at]! | (packed[at + 1]! << 8)
      at += 2
    } else if (kind === 1) {
      length = 4 + ((tag >> 2) & 7)
      back = ((tag >> 5) << 8) | packed[at]!
      at++
    } else {
      back = wholeAt(packed, at, 4)
      at += 4
    }
    filled = repeat(out, filled, back, length)
  }
  if (filled !== size || at !== packed.length) throw new RangeError(`snappy: ${filled} of ${size} bytes`)
  return out
}

function wholeAt(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw new RangeError('snappy: a number ends too early')
  let whole = 0
  for (let i = count - 1; i >= 0; i--) whole = whole * 256 + bytes[at + i]!
  return whole
}

/** Copies bytes as they stand. Returns the new end. */
export function literalTo(out: Uint8Array, filled: number, packed: Uint8Array, at: number, length: number): number {
  if (at + length > packed.length || filled + length > out.length) throw new RangeError('a text ends too early')
  if (length > fewBytes) out.set(packed.subarray(at, at + length), filled)
  else for (let i = 0; i < length; i++) out[filled + i] = packed[at + i]!
  return filled + length
}

/** Copies what was written `back` bytes before, which may overlap with what it writes. Returns the new end. */
export function repeat(out: Uint8Array, filled: number, back: number, length: number): number {
  if (!(back > 0 && back <= filled && filled + length <= out.length)) throw new RangeError('it points outside of what was unpacked')
  if (length > fewBytes && back >= length) out.copyWithin(filled, filled - back, filled - back + length)
  else for (let i = 0; i < length; i++) out[filled + i] = out[filled + i - back]!
  return filled + length
}
