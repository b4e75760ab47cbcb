/** How saved states hold lists of values: small numbers in few bytes, and every double as it was. */
import { commonScale, fifteenDigits, scaledBy, tens } from './decimal.ts'
import {
  folded,
  putCount,
  putDouble,
  putText,
  putWhole,
  reserve,
  takeCount,
  takeDouble,
  takeText,
  takeWhole,
  unfolded,
  type Reader,
  type Writer,
} from './state-bytes.ts'
import type { Value, Values, Whole } from './values.ts'

const asDoubles = 255

/**
 * A list of values, NaN for null: as whole numbers at one scale where they are decimals of at most 15 digits, else as doubles. At most 8
 * bytes each. The list may lie in a ring: `count` values, the first of them at `first`, those before it last.
 */
function putNumbers(to: Writer, values: readonly number[], count = values.length, first = 0): void {
  const scale = commonScale(values, fifteenDigits, count)
  putCount(to, count)
  putCount(to, scale < 0 ? asDoubles : scale)
  const put = scale < 0 ? putDoubles : putScaled
  put(to, values, tens[scale]!, first, count)
  put(to, values, tens[scale]!, 0, first)
}

function putDoubles(to: Writer, values: readonly number[], _: number, from: number, end: number): void {
  for (let index = from; index < end; index++) putDouble(to, values[index]!)
}

/** Most of what a checkpoint of many keys takes: hence the room reserved at once, and the few bytes that most values need put here. */
function putScaled(to: Writer, values: readonly number[], power: number, from: number, end: number): void {
  reserve(to, 8 * (end - from))
  const { bytes } = to
  let at = to.end
  for (let index = from; index < end; index++) {
    const value = values[index]!
    const code = value === value ? folded(scaledBy(value, power)) + 1 : 0
    if (code < 128) bytes[at++] = code
    else if (code < 128 * 128) {
      bytes[at] = (code & 127) | 128
      bytes[at + 1] = code >>> 7
      at += 2
    } else {
      to.end = at
      putCount(to, code)
      at = to.end
    }
  }
  to.end = at
}

function takeNumbers(from: Reader): Float64Array {
  const values = new Float64Array(takeCount(from))
  const scale = takeCount(from)
  for (let index = 0; index < values.length; index++) {
    if (scale === asDoubles) values[index] = takeDouble(from)
    else {
      const code = takeCount(from)
      values[index] = code === 0 ? NaN : unfolded(code - 1) / tens[scale]!
    }
  }
  return values
}

const asTexts = 254
const asWholes = 253

/** Values of one kind: numbers as `putNumbers` does, texts and whole numbers beyond the doubles as they are. */
export function putValues(to: Writer, values: readonly Value[], count = values.length, first = 0): void {
  const form = formOf(values, count)
  if (form === undefined) return putNumbers(to, values as readonly number[], count, first)
  putCount(to, count)
  putCount(to, form)
  for (let index = 0; index < count; index++) {
    const value = values[(first + index) % count]!
    const isNull = value !== value
    if (form === asTexts) putText(to, isNull ? '' : `=${value as string}`)
    else {
      putCount(to, isNull ? 0 : 1)
      if (!isNull) putWhole(to, value as Whole)
    }
  }
}

function formOf(values: readonly Value[], count: number): number | undefined {
  for (let index = 0; index < count; index++) {
    if (typeof values[index] === 'string') return asTexts
    if (typeof values[index] === 'bigint') return asWholes
  }
  return undefined
}

export function takeValues(from: Reader): Values {
  const start = from.at
  const count = takeCount(from)
  const form = takeCount(from)
  if (form !== asTexts && form !== asWholes) {
    from.at = start
    return takeNumbers(from)
  }
  return Array.from({ length: count }, () => {
    if (form === asWholes) return takeCount(from) === 0 ? NaN : takeWhole(from)
    const text = takeText(from)
    return text === '' ? NaN : text.slice(1)
  })
}

/** One of `putValues`, where texts have no more bytes. */
export const mostValueBytes = (bytes: number): number => Math.max(21, 6 + bytes)
