/** Values as operators take and give them, whatever the kind of their column: NaN is null, in every kind. */
import { noDay, noFlag, type DateColumn, type FlagColumn, type TextColumn, type Wholes } from '../utilities/values/columns.ts'

/** A bigint only where no double holds the whole number for certain: two that are equal are the same value, and `<` compares them. */
export type Whole = number | bigint
export type Value = Whole | string
export type Values = ArrayLike<Value>

export const wholeOf = (value: bigint): Whole => (Number.isSafeInteger(Number(value)) ? Number(value) : value)

/** The whole number that is so much less. */
export function less(value: Whole, by: Whole): Whole {
  const result = typeof value === 'number' && typeof by === 'number' ? value - by : NaN
  return Number.isSafeInteger(result) ? result : wholeOf(BigInt(value) - BigInt(by))
}

/** Below 0 when `a` stands before `b`: texts go by their UTF-8 bytes. Both are of one kind. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string') return compareTexts(a, b as string)
  return a < (b as Whole) ? -1 : a > (b as Whole) ? 1 : 0
}

function compareTexts(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at++) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (one !== other) return placeOf(one) - placeOf(other)
  }
  return a.length - b.length
}

/** Halves of a pair stand for what comes behind all other texts in UTF-8, though other units have larger numbers. */
const placeOf = (unit: number) => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit)

/** Bare doubles where each of them is exact. */
export function wholesIn({ values, wide }: Wholes): ArrayLike<Whole> {
  return !wide || wide.size === 0 ? values : Array.from(values, (value, row) => wide.get(row) ?? value)
}

export function daysIn({ days }: DateColumn): Float64Array {
  const values = new Float64Array(days.length)
  for (let row = 0; row < values.length; row++) values[row] = days[row] === noDay ? NaN : days[row]!
  return values
}

export function flagsIn({ values: flags }: FlagColumn): Float64Array {
  const values = new Float64Array(flags.length)
  for (let row = 0; row < values.length; row++) values[row] = flags[row] === noFlag ? NaN : flags[row]!
  return values
}

export function textsIn({ bytes, starts, ends }: TextColumn): Values {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from(starts, (start, row) => (start === -1 ? NaN : buffer.utf8Slice(start, ends[row]!)))
}

/** The column of these texts, each behind the one before. */
export function textColumn(texts: Values): TextColumn {
  const starts = new Int32Array(texts.length)
  const ends = new Int32Array(texts.length)
  const present: string[] = []
  let end = 0
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row]!
    const isText = typeof text === 'string'
    starts[row] = isText ? end : -1
    if (isText) {
      present.push(text)
      end += Buffer.byteLength(text)
    }
    ends[row] = end
  }
  return { kind: 'text', bytes: Buffer.from(present.join('')), starts, ends }
}
