/**
 * A place in a message, and the JSON that is made of it: bytes in, bytes out, with no object for a value.
 *
 * Written for speed: its plain twin is avsc, as `toObject` of schemas/avro/generic.ts has it; the benchmark is bench/foreign.ts.
 */
import { Unreadable } from '../../avro/generic.ts'

export type Cursor = {
  bytes: Uint8Array
  at: number
  end: number
  out: Buffer
  used: number
  /** Records, arrays and maps that are open. */
  depth: number
  /** Values that it may still have: some take no bytes, and could be as many as their writer likes to announce. */
  left: number
}

export const startCursor = (): Cursor => ({
  bytes: new Uint8Array(0),
  at: 0,
  end: 0,
  out: Buffer.allocUnsafeSlow(64 * 1024),
  used: 0,
  depth: 0,
  left: 0,
})

/** A few bytes can announce gigabytes of names. */
const mostOut = 128 * 1024 * 1024

/** For so many bytes more. */
function room(c: Cursor, bytes: number): void {
  const needed = c.used + bytes
  if (needed <= c.out.length) return
  if (needed > mostOut) throw new Unreadable(`as JSON it would have more than ${mostOut} bytes`)
  const larger = Buffer.allocUnsafeSlow(Math.min(mostOut, Math.max(needed, 2 * c.out.length)))
  c.out.copy(larger, 0, 0, c.used)
  c.out = larger
}

const [quote, backslash, minus, zero] = [0x22, 0x5c, 0x2d, 0x30]

/** Bytes that need no care. */
export function putBytes(c: Cursor, bytes: Uint8Array): void {
  room(c, bytes.length)
  const { out } = c
  let { used } = c
  for (let i = 0; i < bytes.length; i++) out[used++] = bytes[i]!
  c.used = used
}

/** Of one byte each. */
export function putAscii(c: Cursor, text: string): void {
  room(c, text.length)
  const { out } = c
  let { used } = c
  for (let i = 0; i < text.length; i++) out[used++] = text.charCodeAt(i)
  c.used = used
}

export function putByte(c: Cursor, byte: number): void {
  room(c, 1)
  c.out[c.used++] = byte
}

/** The UTF-8 bytes from..to of the message as a text. */
export function putText(c: Cursor, from: number, to: number): void {
  const { bytes } = c
  room(c, to - from + 2)
  let { out, used } = c
  out[used++] = quote
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (byte >= 0x20 && byte !== quote && byte !== backslash) {
      out[used++] = byte
      continue
    }
    c.used = used
    room(c, to - i + 7)
    out = c.out
    used = putEscaped(out, used, byte)
  }
  out[used++] = quote
  c.used = used
}

const hex = '0123456789abcdef'

function putEscaped(out: Uint8Array, at: number, byte: number): number {
  let used = at
  out[used++] = backslash
  if (byte >= 0x20) out[used++] = byte
  else for (const one of `u00${byte < 16 ? 0 : 1}${hex[byte & 15]}`) out[used++] = one.charCodeAt(0)
  return used
}

/** A whole number of 64 bits in two halves. */
export function putLong(c: Cursor, low: number, high: number): void {
  if (high === low >> 31) putWhole(c, low)
  else {
    const value = high * 2 ** 32 + (low >>> 0)
    if (Number.isSafeInteger(value)) putWhole(c, value)
    else putAscii(c, String((BigInt(high) << 32n) | BigInt(low >>> 0)))
  }
}

const billion = 1_000_000_000

/** Up to 2^53. */
function putWhole(c: Cursor, value: number): void {
  room(c, 20)
  const { out } = c
  let rest = value
  if (rest < 0) {
    out[c.used++] = minus
    rest = -rest
  }
  if (rest < billion) c.used = putDigits(out, c.used, rest, 1)
  else {
    const high = Math.floor(rest / billion)
    c.used = putDigits(out, putDigits(out, c.used, high, 1), rest - high * billion, 9)
  }
}

/** Below 2^31; with zeros in front where it has fewer digits. */
function putDigits(out: Uint8Array, at: number, value: number, least: number): number {
  let digits = least
  for (let limit = 10 ** least; value >= limit; limit *= 10) digits++
  let rest = value | 0
  for (let place = at + digits - 1; place >= at; place--) {
    const next = (rest / 10) | 0
    out[place] = zero + rest - next * 10
    rest = next
  }
  return at + digits
}

export function putDouble(c: Cursor, value: number): void {
  if (Number.isInteger(value) && Math.abs(value) < 1e15 && !Object.is(value, -0)) putWhole(c, value)
  else if (Number.isFinite(value)) putAscii(c, Object.is(value, -0) ? '-0.0' : String(value))
  else putAscii(c, `"${value}"`)
}

/** With as many digits as tell it from other floats: 1.1 and not 1.100000023841858. */
export function putFloat(c: Cursor, value: number): void {
  if (!Number.isFinite(value) || Number.isInteger(value)) return putDouble(c, value)
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits))
    if (Math.fround(shorter) === value) return putDouble(c, shorter)
  }
  putDouble(c, Number(value.toPrecision(9)))
}

const letters = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')

/** The bytes from..to of the message in base64. */
export function putBase64(c: Cursor, from: number, to: number): void {
  const { bytes } = c
  room(c, Math.ceil((to - from) / 3) * 4 + 2)
  const { out } = c
  let { used } = c
  out[used++] = quote
  for (let i = from; i < to; i += 3) {
    const [second, third] = [i + 1 < to, i + 2 < to]
    const three = (bytes[i]! << 16) | (second ? bytes[i + 1]! << 8 : 0) | (third ? bytes[i + 2]! : 0)
    out[used++] = letters[three >> 18]!
    out[used++] = letters[(three >> 12) & 63]!
    out[used++] = second ? letters[(three >> 6) & 63]! : 0x3d
    out[used++] = third ? letters[three & 63]! : 0x3d
  }
  out[used++] = quote
  c.used = used
}
