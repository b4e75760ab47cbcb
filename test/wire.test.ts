/** The frame and the numbers on the wire: golden bytes, both ways, and what is refused. */
import fc from 'fast-check'
import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  bytesOfUuid,
  frame,
  frameHeader,
  putZigzag,
  readFrame,
  readZigzag,
  cutOff,
  long,
  runsOfId,
  tooLong,
  uuidOf,
  zigzagLength,
} from '../schemas/wire.ts'

const id = '6f2a1c3e-0b4d-4e5f-8a9b-c0d1e2f30415'
const otherId = '00112233-4455-4677-8899-aabbccddeeff'
const headerHex = '03006f2a1c3e0b4d4e5f8a9bc0d1e2f30415'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const read = (bytes: Uint8Array) => readFrame(bytes, 0, bytes.length)

const batchOf = (messages: readonly Uint8Array[]) => {
  let end = 0
  return { bytes: new Uint8Array(Buffer.concat(messages)), ends: Uint32Array.from(messages, ({ length }) => (end += length)) }
}

const uuids = fc.uuid({ version: [1, 4, 7] })

describe('a frame', () => {
  it('has the bytes that AWS Glue gives it', () => {
    expect(hex(frameHeader(id))).toBe(headerHex)
    expect(hex(frameHeader(id, 'zlib'))).toBe(headerHex.replace(/^0300/, '0305'))
    expect(hex(frame(id, bytesOf('02a4b3')))).toBe(`${headerHex}02a4b3`)
  })

  it('is read from the golden bytes, plain and packed', () => {
    expect(read(bytesOf(`${headerHex}02a4b3`))).toEqual({ ok: true, id, compression: 'none', payload: bytesOf('02a4b3') })
    // "hello", as Python's zlib packs it.
    const packed = read(bytesOf(`${headerHex.replace(/^0300/, '0305')}789ccb48cdc9c90700062c0215`))
    expect(packed.ok && [packed.id, packed.compression, hex(packed.payload)]).toEqual([id, 'zlib', '68656c6c6f'])
  })

  it('comes back as it was, plain and packed, wherever it lies', () =>
    fc.assert(
      fc.property(
        uuids,
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('none' as const, 'zlib' as const),
        fc.nat(20),
        (anyId, payload, compression, before) => {
          const framed = frame(anyId, payload, compression)
          const bytes = new Uint8Array(before + framed.length + 7).fill(0xff)
          bytes.set(framed, before)
          const back = readFrame(bytes, before, before + framed.length)
          expect(back.ok && [back.id, back.compression, hex(back.payload)]).toEqual([anyId, compression, hex(payload)])
        },
      ),
    ))

  it('has an id that is read as it was written', () =>
    fc.assert(
      fc.property(uuids, (anyId) => {
        expect(uuidOf(bytesOfUuid(anyId.toUpperCase()))).toBe(anyId)
      }),
    ))

  it('refuses an id that is no UUID', () => expect(() => frameHeader('17')).toThrow(TypeError))

  const packedHeader = headerHex.replace(/^0300/, '0305')
  it.each([
    ['nothing', '', /shorter than the header/],
    ['a header cut off', headerHex.slice(0, -2), /shorter than the header/],
    ['JSON', Buffer.from('{"amount_requested": 5}').toString('hex'), /first byte is not 0x03/],
    ['another compression', `0304${headerHex.slice(4)}`, /compression is unknown/],
    ['packed data cut off', `${packedHeader}789ccb48cdc9c9070006`, /cannot be unpacked/],
    ['packed data with a wrong checksum', `${packedHeader}789ccb48cdc9c90700062c0216`, /cannot be unpacked/],
    ['no packed data', packedHeader, /cannot be unpacked/],
    ['bytes behind packed data', `${packedHeader}789ccb48cdc9c90700062c021500ff`, /2 bytes follow the zlib data/],
  ])('says why not: %s', (_, text, reason) => {
    const result = read(bytesOf(text))
    expect(result.ok ? 'read' : result.reason).toMatch(reason)
  })

  it('does not unpack a bomb', () => {
    const most = 16 * 1024 * 1024
    const result = read(new Uint8Array(Buffer.concat([frameHeader(id, 'zlib'), deflateSync(Buffer.alloc(most + 1))])))
    expect(result.ok ? 'read' : result.reason).toMatch(/more than 16777216 bytes/)
    expect(read(new Uint8Array(Buffer.concat([frameHeader(id, 'zlib'), deflateSync(Buffer.alloc(most))]))).ok).toBe(true)
  })
})

describe('runs of messages', () => {
  it('go together while their headers are the same', () => {
    const garbage = [bytesOf('7b7d'), new Uint8Array(40).fill(0x7b), new Uint8Array(50).fill(0x7b)]
    const messages = [
      frame(id, bytesOf('01')),
      frame(id, bytesOf('0203')),
      frame(id, bytesOf('01'), 'zlib'),
      frame(otherId, bytesOf('')),
      ...garbage,
      frame(id, bytesOf('01')),
    ]
    expect(runsOfId(batchOf(messages)).map(({ id, compression, from, to }) => [id, compression, from, to])).toEqual([
      [id, 'none', 0, 2],
      [id, 'zlib', 2, 3],
      [otherId, 'none', 3, 4],
      [undefined, undefined, 4, 5],
      [undefined, undefined, 5, 7],
      [id, 'none', 7, 8],
    ])
  })

  it('are none in an empty batch', () => expect(runsOfId(batchOf([]))).toEqual([]))

  const messages = fc.oneof(
    fc
      .tuple(fc.constantFrom(id, otherId), fc.constantFrom('none' as const, 'zlib' as const))
      .map(([one, compression]) => frame(one, bytesOf('0a0b'), compression)),
    fc.uint8Array({ maxLength: 30 }),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array([0x03, ...bytes])),
  )
  it('cover the batch in order, as long as they can be, and say of each message what reading it alone says', () =>
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 30 }), (all) => {
        const runs = runsOfId(batchOf(all))
        expect(runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i))).toEqual(all.map((_, i) => i))
        for (const run of runs) {
          for (const message of all.slice(run.from, run.to)) {
            const alone = read(message)
            if (alone.ok) expect([run.id, run.compression]).toEqual([alone.id, alone.compression])
            else expect(run.reason === alone.reason || run.compression === 'zlib').toBe(true)
          }
        }
        const kinds = runs.map(({ id, compression, reason }) => `${id} ${compression} ${reason}`)
        expect(kinds.filter((kind, i) => kind === kinds[i - 1])).toEqual([])
      }),
    ))
})

describe('a number', () => {
  const low = (value: bigint) => Number(BigInt.asIntN(32, value))
  const high = (value: bigint) => Number(BigInt.asIntN(32, value >> 32n))
  const written = (value: bigint) => {
    const out = new Uint8Array(12)
    return out.subarray(0, putZigzag(out, 0, low(value), high(value)))
  }

  it.each([
    [0n, '00'],
    [-1n, '01'],
    [1n, '02'],
    [-64n, '7f'],
    [64n, '8001'],
    [14000n, 'e0da01'],
    [2147483647n, 'feffffff0f'],
    [-2147483648n, 'ffffffff0f'],
    [9223372036854775807n, 'feffffffffffffffff01'],
    [-9223372036854775808n, 'ffffffffffffffffff01'],
  ])('%s is written as Avro does', (value, text) => expect(hex(written(value))).toBe(text))

  it('of 64 bits comes back as it was, and is as long as was said', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
          fc.integer().map(BigInt),
          fc.nat(62).map((bits) => 2n ** BigInt(bits)),
        ),
        (value) => {
          const bytes = written(value)
          expect(zigzagLength(low(value), high(value))).toBe(bytes.length)
          expect(readZigzag(bytes, 0, bytes.length)).toBe(bytes.length)
          expect([long[0], long[1]]).toEqual([low(value), high(value)])
          for (let end = 0; end < bytes.length; end++) expect(readZigzag(bytes, 0, end)).toBe(cutOff)
        },
      ),
    ))

  it('may be written longer than it must be, up to 64 bits', () => {
    expect([readZigzag(bytesOf('8280808000'), 0, 5), long[0], long[1]]).toEqual([5, 1, 0])
    expect(readZigzag(bytesOf('ffffffffffffffffff02'), 0, 10)).toBe(tooLong)
    expect(readZigzag(bytesOf('ffffffffffffffffffff01'), 0, 11)).toBe(tooLong)
  })
})
