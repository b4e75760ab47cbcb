/** Comparisons, exact for all kinds: numbers as doubles, texts by their bytes, which is by the order of their characters in Unicode. */
import { noDay, noFlag, wholeAt, type Column, type TextColumn, type Wholes } from '../../utilities/values/columns.ts'
import { flags, type Flags } from './logic.ts'
import { bothBad, type Values } from './values.ts'

/** What each comparison says of less, equal and greater. */
const verdicts = {
  '=': [0, 1, 0],
  '!=': [1, 0, 1],
  '<': [1, 0, 0],
  '<=': [1, 1, 0],
  '>': [0, 0, 1],
  '>=': [0, 1, 1],
} as const
export type Comparison = keyof typeof verdicts

/** Both columns are of one kind, and decimals of one scale. */
export function compare(comparison: Comparison, a: Values, b: Values): Flags {
  const verdict = Uint8Array.from([...verdicts[comparison], noFlag])
  const signs = signsOf(a.column, b.column)
  for (let row = 0; row < signs.length; row++) signs[row] = verdict[signs[row]!]!
  return flags(signs, bothBad(a.bad, b.bad))
}

const [less, equal, greater, unknown] = [0, 1, 2, 3]
const sign = (x: number | bigint, y: number | bigint) => (x < y ? less : x > y ? greater : equal)

function signsOf(a: Column, b: Column): Uint8Array {
  if (a.kind === 'date' && b.kind === 'date') return ofValues(a.days, b.days, noDay)
  if (a.kind === 'flag' && b.kind === 'flag') return ofValues(a.values, b.values, noFlag)
  if (a.kind === 'text' && b.kind === 'text') return ofTexts(a, b)
  if (a.kind === 'number' && b.kind === 'number') return ofDoubles(a.values, b.values)
  if (!isWholes(a) || !isWholes(b)) throw new TypeError(`nothing compares ${a.kind} and ${b.kind}`)
  const signs = ofDoubles(a.values, b.values)
  // Doubles that differ tell which is greater; those of two wide numbers may be the same.
  for (const row of a.wide?.keys() ?? []) if (signs[row] === equal) signs[row] = sign(wholeAt(a, row)!, wholeAt(b, row)!)
  for (const row of b.wide?.keys() ?? []) if (signs[row] === equal) signs[row] = sign(wholeAt(a, row)!, wholeAt(b, row)!)
  return signs
}

const isWholes = (column: Column): column is Column & Wholes => ['integer', 'decimal', 'timestamp'].includes(column.kind)

function ofDoubles(x: Float64Array, y: Float64Array): Uint8Array {
  const signs = new Uint8Array(x.length)
  for (let row = 0; row < x.length; row++) {
    const [one, other] = [x[row]!, y[row]!]
    signs[row] = one < other ? less : one > other ? greater : one === other ? equal : unknown
  }
  return signs
}

function ofValues(x: Int32Array | Uint8Array, y: Int32Array | Uint8Array, none: number): Uint8Array {
  const signs = new Uint8Array(x.length)
  for (let row = 0; row < x.length; row++) {
    const [one, other] = [x[row]!, y[row]!]
    signs[row] = one === none || other === none ? unknown : one < other ? less : one > other ? greater : equal
  }
  return signs
}

function ofTexts(a: TextColumn, b: TextColumn): Uint8Array {
  const signs = new Uint8Array(a.starts.length)
  for (let row = 0; row < signs.length; row++) {
    const [from, other] = [a.starts[row]!, b.starts[row]!]
    signs[row] = from < 0 || other < 0 ? unknown : ofBytes(a.bytes, from, a.ends[row]!, b.bytes, other, b.ends[row]!)
  }
  return signs
}

function ofBytes(a: Uint8Array, from: number, to: number, b: Uint8Array, other: number, otherTo: number): number {
  const length = Math.min(to - from, otherTo - other)
  for (let i = 0; i < length; i++) if (a[from + i] !== b[other + i]) return a[from + i]! < b[other + i]! ? less : greater
  return sign(to - from, otherTo - other)
}
