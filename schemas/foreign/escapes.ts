/** Texts of JSON with escapes: where they end, and the bytes that they stand for. */
import { quote, space } from '../csv/bytes.ts'
import { backslash } from './bytes.ts'

const lowerU = 117

/** What stands behind a backslash, and the byte that both stand for; 0 where nothing does. */
const byEscape = new Uint8Array(256)
for (const [escape, byte] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) byEscape[escape!.charCodeAt(0)] = byte!.charCodeAt(0)

const hex = new Int8Array(256).fill(-1)
for (let digit = 0; digit < 16; digit++)
  for (const one of digit.toString(16) + digit.toString(16).toUpperCase()) hex[one.charCodeAt(0)] = digit

/** The unit that four digits from `at` on are; less than 0 where they are not all digits. */
const unitAt = (bytes: Buffer, at: number): number =>
  (hex[bytes[at]!]! << 12) | (hex[bytes[at + 1]!]! << 8) | (hex[bytes[at + 2]!]! << 4) | hex[bytes[at + 3]!]!

/** The place of the quote that ends a text whose first escape is at `from`; -1 - the place where it is amiss. */
export function escapedEnd(bytes: Buffer, from: number): number {
  let at = from
  for (;;) {
    const c = bytes[at]!
    if (c === quote) return at
    if (c === backslash) {
      const escape = bytes[at + 1]!
      if (escape === lowerU) {
        if (!(unitAt(bytes, at + 2) >= 0)) return -1 - at
        at += 6
      } else if (byEscape[escape]! > 0) at += 2
      else return -1 - at
    } else if (c >= space) at++
    else return -1 - at
  }
}

/** Writes out what a text with escapes stands for, which is never longer; where that ends, and -1 where it has half of a character. */
export function writeUnescaped(bytes: Buffer, from: number, to: number, into: Uint8Array, start: number): number {
  let out = start
  for (let at = from; at < to;) {
    const c = bytes[at]!
    if (c !== backslash) {
      into[out++] = c
      at++
      continue
    }
    const escape = bytes[at + 1]!
    if (escape !== lowerU) {
      into[out++] = byEscape[escape]!
      at += 2
      continue
    }
    let point = unitAt(bytes, at + 2)
    at += 6
    if (point >= 0xd800 && point < 0xe000) {
      const low = bytes[at] === backslash && bytes[at + 1] === lowerU && at + 6 <= to ? unitAt(bytes, at + 2) : 0
      if (point >= 0xdc00 || low < 0xdc00 || low >= 0xe000) return -1
      point = 0x10000 + ((point - 0xd800) << 10) + low - 0xdc00
      at += 6
    }
    if (point < 0x80) into[out++] = point
    else if (point < 0x800) {
      into[out++] = 0xc0 | (point >> 6)
      into[out++] = 0x80 | (point & 63)
    } else {
      if (point < 0x10000) into[out++] = 0xe0 | (point >> 12)
      else {
        into[out++] = 0xf0 | (point >> 18)
        into[out++] = 0x80 | ((point >> 12) & 63)
      }
      into[out++] = 0x80 | ((point >> 6) & 63)
      into[out++] = 0x80 | (point & 63)
    }
  }
  return out
}

/** A text that was found, as one of ours. */
export const utf8Text = (bytes: Buffer, from: number, to: number, escaped: boolean): string =>
  escaped ? (JSON.parse(bytes.utf8Slice(from - 1, to + 1)) as string) : bytes.utf8Slice(from, to)
