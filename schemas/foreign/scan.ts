/**
 * Checks a whole message of JSON in one pass and finds the values that are wanted in it: no object or string for each. It agrees with
 * JSON.parse on what JSON is, but for nesting without end. Of members with the same name the last counts.
 *
 * Written for speed: a name is compared with the one that came at its place in the message before. Its plain twin is JSON.parse, in
 * test/foreign-json.test.ts; the benchmark is bench/foreign.ts.
 */
import { isUtf8 } from 'node:buffer'
import { carriageReturn, colon, lowerE, minus, newline, plus, point, quote, space, upperE, zero } from '../csv/bytes.ts'
import { backslash, closeBrace, closeBracket, comma, nine, openBrace, openBracket, tab } from './bytes.ts'
import { escapedEnd, utf8Text } from './escapes.ts'
import { memberOf, type Members, type Shape } from './shape.ts'

/** What a value is, as it is written. */
export const sentAs = { absent: 0, null: 1, true: 2, false: 3, number: 4, text: 5, escapedText: 6, object: 7, array: 8 } as const

/** What was found last: by slot what it is and where it lies; a text without its quotes. */
export type Found = { bytes: Buffer; readonly kinds: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array }

export type Scanner = {
  /** Reads bytes[from .. to), and says why they are not JSON where they are not. */
  scan(bytes: Buffer, from: number, to: number): string | undefined
  readonly found: Found
}

const mostDepth = 64
const nothing = Buffer.alloc(0)

export function jsonScanner(shape: Shape): Scanner {
  const kinds = new Uint8Array(shape.slots)
  const starts = new Int32Array(shape.slots)
  const ends = new Int32Array(shape.slots)
  const found: Found = { bytes: nothing, kinds, starts, ends }
  let bytes: Buffer = nothing
  let limit = 0
  let message = 0
  /** Of the text that was read last. */
  let escaped = false
  /** Whether a byte of the message is not ASCII. */
  let high = false
  let stoppedAt = 0
  let tooDeep = false

  // Blanks alone ask where the message ends: what else runs on into the bytes behind it soon ends there, which is seen when all is done.

  function stop(at: number): -1 {
    stoppedAt = at
    return -1
  }

  function behindSpace(at: number): number {
    let c = bytes[at]
    while ((c === space || c === newline || c === carriageReturn || c === tab) && at < limit) c = bytes[++at]
    return at
  }

  /** The place of the quote that ends a text. */
  function textEnd(start: number): number {
    const data = bytes
    let at = start
    let all = 0
    let c = data[at]!
    while (c >= space && c !== quote && c !== backslash) {
      all |= c
      c = data[++at]!
    }
    escaped = c === backslash
    if (escaped) {
      at = escapedEnd(data, at)
      if (at < 0) return stop(-at - 1)
      high = true
    } else if (c !== quote) return stop(at)
    if (all > 127) high = true
    return at
  }

  function numberEnd(start: number): number {
    const data = bytes
    let at = start
    let c = data[at]!
    if (c === minus) c = data[++at]!
    const first = c
    const digits = at
    while (c >= zero && c <= nine) c = data[++at]!
    if (at === digits || (first === zero && at > digits + 1)) return stop(at === digits ? at : digits + 1)
    if (c === point) {
      const fraction = ++at
      c = data[at]!
      while (c >= zero && c <= nine) c = data[++at]!
      if (at === fraction) return stop(at)
    }
    if (c === lowerE || c === upperE) {
      c = data[++at]!
      if (c === minus || c === plus) c = data[++at]!
      const exponent = at
      while (c >= zero && c <= nine) c = data[++at]!
      if (at === exponent) return stop(at)
    }
    return at
  }

  const wordEnd = (at: number, word: Buffer): number => {
    for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return stop(at)
    return at + word.length
  }

  function valueEnd(at: number, slot: number, inside: Members | undefined, depth: number): number {
    const first = bytes[at]!
    let kind: number
    let start = at
    let end: number
    let behind = 0
    if (first === quote) {
      start = at + 1
      end = textEnd(start)
      kind = escaped ? sentAs.escapedText : sentAs.text
      behind = 1
    } else if (first === openBrace) {
      kind = sentAs.object
      end = objectEnd(at + 1, inside, depth + 1)
    } else if (first === openBracket) {
      kind = sentAs.array
      end = arrayEnd(at + 1, depth + 1)
    } else if (first === minus || (first >= zero && first <= nine)) {
      kind = sentAs.number
      end = numberEnd(at)
    } else {
      const word = words[first]
      if (!word) return stop(at)
      kind = word.kind
      end = wordEnd(at, word.bytes)
    }
    if (end < 0) return -1
    if (slot >= 0) {
      kinds[slot] = kind
      starts[slot] = start
      ends[slot] = end
    }
    return end + behind
  }

  function arrayEnd(from: number, depth: number): number {
    if (depth > mostDepth) return deep(from)
    let at = behindSpace(from)
    if (bytes[at] === closeBracket) return at + 1
    for (;;) {
      at = valueEnd(at, -1, undefined, depth)
      if (at < 0) return -1
      at = behindSpace(at)
      if (bytes[at] === closeBracket) return at + 1
      if (bytes[at] !== comma) return stop(at)
      at = behindSpace(at + 1)
    }
  }

  function objectEnd(from: number, inside: Members | undefined, depth: number): number {
    if (depth > mostDepth) return deep(from)
    let at = behindSpace(from)
    if (bytes[at] === closeBrace) return at + 1
    let guess = inside?.first
    let before: { next: Members['first'] } | undefined
    for (;;) {
      if (bytes[at] !== quote) return stop(at)
      at++
      let member = guess
      if (guess && isAt(bytes, at, guess.name)) at += guess.name.length
      else {
        const end = textEnd(at)
        if (end < 0) return -1
        member = inside && memberOf(inside, utf8Text(bytes, at, end, escaped))
        at = end + 1
        if (before && member) before.next = member
        else if (inside && member) inside.first = member
      }
      at = behindSpace(at)
      if (bytes[at] !== colon) return stop(at)
      at = behindSpace(at + 1)
      if (member === undefined) at = valueEnd(at, -1, undefined, depth)
      else {
        if (member.inside) afresh(member.inside)
        at = valueEnd(at, member.slot, member.inside, depth)
        before = member
        guess = member.next
      }
      if (at < 0) return -1
      at = behindSpace(at)
      if (bytes[at] === closeBrace) return at + 1
      if (bytes[at] !== comma) return stop(at)
      at = behindSpace(at + 1)
    }
  }

  /** What a member of the same name had before counts for nothing. */
  function afresh(members: Members): void {
    if (members.seenIn === message) for (const slot of members.under) kinds[slot] = sentAs.absent
    members.seenIn = message
  }

  function deep(at: number): -1 {
    tooDeep = true
    return stop(at)
  }

  function scan(data: Buffer, from: number, to: number): string | undefined {
    found.bytes = bytes = data
    limit = to
    kinds.fill(sentAs.absent)
    message++
    high = tooDeep = false
    const at = behindSpace(from)
    // A number would run on into digits that lie behind the message, and its readers stop at a byte that is no digit.
    if (bytes[at] === minus || (bytes[at]! >= zero && bytes[at]! <= nine)) {
      found.bytes = bytes = Buffer.concat([data.subarray(from, to), Buffer.of(0)])
      limit = to - from
      return ended(valueEnd(at - from, 0, undefined, 0), 0, to - from)
    }
    return ended(valueEnd(at, 0, shape.members, 0), from, to)
  }

  function ended(end: number, from: number, to: number): string | undefined {
    const at = end >= 0 && end < to ? behindSpace(end) : end
    if (tooDeep) return `it is nested deeper than ${mostDepth}`
    if (at < 0 || at !== to) {
      const place = at < 0 ? stoppedAt : Math.min(at, to)
      return from === to ? 'it is empty' : place >= to ? 'it is not JSON: it ends too soon' : `it is not JSON from byte ${place - from} on`
    }
    return high && !isUtf8(bytes.subarray(from, to)) ? 'its bytes are not UTF-8' : undefined
  }

  return { scan, found }
}

const words: readonly ({ readonly kind: number; readonly bytes: Buffer } | undefined)[] = wordsByFirstByte()

function wordsByFirstByte() {
  const all = new Array<{ readonly kind: number; readonly bytes: Buffer } | undefined>(256).fill(undefined)
  for (const word of ['null', 'true', 'false'] as const) all[word.charCodeAt(0)] = { kind: sentAs[word], bytes: Buffer.from(word) }
  return all
}

function isAt(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false
  return true
}
