/** What the columns of a text plainly hold: numbers where every cell is one, days or moments where every cell is; texts where in doubt. */
import { timestampAt } from '../schemas/csv/timestamps.ts'
import { dateAt } from '../schemas/csv/dates.ts'
import type { TextColumn } from '../utilities/values/columns.ts'

type Kind = 'integer' | 'number' | 'date' | 'timestamp'

export function plainKinds(columns: number) {
  const all: readonly Kind[] = ['integer', 'number', 'date', 'timestamp']
  const left = Array.from({ length: columns }, () => new Set<Kind>(all))
  const seen = new Uint8Array(columns)
  return {
    take(texts: readonly TextColumn[], count: number): void {
      for (const [i, { bytes, starts, ends }] of texts.entries()) {
        const kinds = left[i]!
        for (let row = 0; row < count && kinds.size > 0; row++) {
          if (starts[row]! < 0) continue
          seen[i] = 1
          for (const kind of kinds) if (!tests[kind](bytes, starts[row]!, ends[row]!)) kinds.delete(kind)
        }
      }
    },
    /** undefined for texts. */
    found: (): readonly (Kind | undefined)[] => left.map((kinds, i) => (seen[i] === 1 ? all.find((kind) => kinds.has(kind)) : undefined)),
  }
}

type Test = (bytes: Uint8Array, start: number, end: number) => boolean

const [zero, minus, point] = [48, 45, 46]
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= zero && byte < zero + 10
/** More may not be a double to the last digit. */
const mostDigits = 15

/** A code such as 00501 is no number, since its zeros would be lost. */
function digitsAt(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && isDigit(bytes[at])) at++
  return at === start || (bytes[start] === zero && at > start + 1) ? -1 : at
}

const cell = new Uint8Array(64)
const [values, days] = [new Float64Array(1), new Int32Array(1)]
const wide = new Map<number, bigint>()

/** Where what `at` reads of the cell ends, with a line end behind it. */
function readsAll(bytes: Uint8Array, start: number, end: number, at: (bytes: Uint8Array) => number): boolean {
  if (end - start >= cell.length - 1) return false
  cell.fill(10)
  cell.set(bytes.subarray(start, end))
  return at(cell) === end - start
}

const tests: { readonly [kind in Kind]: Test } = {
  integer(bytes, start, end) {
    const from = bytes[start] === minus ? start + 1 : start
    return end - from <= mostDigits && digitsAt(bytes, from, end) === end
  },
  number(bytes, start, end) {
    const from = bytes[start] === minus ? start + 1 : start
    const at = digitsAt(bytes, from, end)
    if (at < 0) return false
    if (at === end) return end - from <= mostDigits
    if (bytes[at] !== point || at + 1 === end) return false
    for (let i = at + 1; i < end; i++) if (!isDigit(bytes[i])) return false
    return true
  },
  date: (bytes, start, end) => end - start === 10 && readsAll(bytes, start, end, (one) => dateAt(undefined, one, 0, days, 0)),
  timestamp: (bytes, start, end) =>
    end - start > 10 && readsAll(bytes, start, end, (one) => timestampAt(undefined, one, 0, values, wide, 0)),
}
