/** Snappy: what is packed comes back, is as small as it should be, and what is damaged is refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mostPacked, packInto, unpack } from '../utilities/kafka/wire/snappy-block.ts'

function packed(bytes: Uint8Array, from = 0, end = bytes.length): Buffer {
  const out = new Uint8Array(mostPacked(end - from))
  return Buffer.from(out.subarray(0, packInto(out, bytes, from, end)))
}

/** Pieces that repeat, near and far, around the size of a block. */
const anyBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 9_000 }))
        .map(([piece, times]) => new Uint8Array(Buffer.concat(Array<Uint8Array>(times).fill(piece)))),
    ),
    { maxLength: 8 },
  )
  .chain((pieces) =>
    fc
      .array(fc.nat(Math.max(0, pieces.length - 1)), { maxLength: 16 })
      .map((order) => Buffer.concat(order.flatMap((i) => pieces[i] ?? []))),
  )

/** Bytes that no compression makes smaller. */
function noise(length: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length }, () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 24)
}

describe('Snappy', () => {
  it('gives back what was packed, of any stretch of bytes', () =>
    fc.assert(
      fc.property(anyBytes, fc.nat(100), fc.nat(100), (bytes, skipped, left) => {
        const from = Math.min(skipped, bytes.length)
        const end = Math.max(from, bytes.length - left)
        expect(unpack(packed(bytes, from, end)).equals(bytes.subarray(from, end))).toBe(true)
      }),
      { numRuns: 300 },
    ))

  const lengths = [0, 1, 15, 16, 17, 59, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 131_072, 200_001]
  it.each(lengths)('gives back %i bytes that do not repeat and as many that do', (length) => {
    const random = noise(length)
    expect(unpack(packed(random)).equals(random)).toBe(true)
    expect(packed(random).length).toBeLessThanOrEqual(length + 16 + (length >> 12))
    const zeros = new Uint8Array(length)
    expect(unpack(packed(zeros)).equals(zeros)).toBe(true)
    expect(packed(zeros).length).toBeLessThanOrEqual(20 + length / 20)
  })

  it('packs numbers that rise into half', () => {
    const values = BigInt64Array.from({ length: 10_000 }, (_, i) => BigInt(i))
    expect(packed(new Uint8Array(values.buffer)).length).toBeLessThan(values.byteLength * 0.55)
  })

  it("reads what the format's description has as an example, and copies that overlap", () => {
    expect(unpack(Buffer.from([0x08, 0x04, 0x61, 0x62, 0x16, 0x02, 0x00]))).toEqual(Buffer.from('abababab'))
    expect(unpack(Buffer.from([0x08, 0x00, 0x78, 0x0d, 0x01]))).toEqual(Buffer.from('xxxxxxxx'))
    expect(unpack(Buffer.from([0x06, 0x08, 0x61, 0x62, 0x63, 0x0b, 0x03, 0x00, 0x00, 0x00]))).toEqual(Buffer.from('abcabc'))
  })

  it('refuses what is cut short, or points outside', () => {
    const whole = packed(Buffer.from('the same, the same, the same and then another'.repeat(3)))
    for (let length = 0; length < whole.length; length++) expect(() => unpack(whole.subarray(0, length))).toThrow(RangeError)
    expect(() => unpack(Buffer.from([0x08, 0x04, 0x61, 0x62, 0x16, 0x03, 0x00]))).toThrow('outside')
    expect(() => unpack(Buffer.from([0x02, 0x0c, 0x61, 0x62, 0x63, 0x64]))).toThrow()
  })

  it('never takes damaged bytes for more than they say', () =>
    fc.assert(
      fc.property(anyBytes, fc.nat(), fc.nat(255), (bytes, place, byte) => {
        const damaged = packed(bytes)
        // The size in front says how much is taken in memory.
        const at = 4 + (place % Math.max(1, damaged.length - 4))
        if (at >= damaged.length) return
        damaged[at] = byte
        let found: Buffer | undefined
        try {
          found = unpack(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
        if (found) expect(found.length).toBe(bytes.length)
      }),
      { numRuns: 300 },
    ))
})
