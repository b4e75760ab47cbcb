/** Facts that stand in the order of when they happened and, where that is the same, of their keys. */
import { putText, putWhole, takeText, takeWhole, type Reader, type Writer } from '../state-bytes.ts'
import { mostValueBytes, putValues, takeValues } from '../state-values.ts'
import { compareValues, less, type Value, type Whole } from '../values.ts'

/** Each is at the same place in all three. */
export type InOrder = { readonly dates: Whole[]; readonly keys: string[]; readonly values: Value[] }

export const noFacts = (): InOrder => ({ dates: [], keys: [], values: [] })

/** Puts it in its place, and says which. */
export function insert({ dates, keys, values }: InOrder, value: Value, date: Whole, key: string): number {
  const at = placeIn(dates, keys, date, key)
  if (at === dates.length) {
    dates.push(date)
    keys.push(key)
    values.push(value)
  } else {
    dates.splice(at, 0, date)
    keys.splice(at, 0, key)
    values.splice(at, 0, value)
  }
  return at
}

/** Where it is; -1 when it is not there. */
export function find({ dates, keys }: InOrder, date: Whole, key: string): number {
  const at = placeIn(dates, keys, date, key)
  return dates[at] === date && keys[at] === key ? at : -1
}

export function remove({ dates, keys, values }: InOrder, from: number, count = 1): void {
  dates.splice(from, count)
  keys.splice(from, count)
  values.splice(from, count)
}

/** Of the first that does not stand before it. */
function placeIn(dates: readonly Whole[], keys: readonly string[], date: Whole, key: string): number {
  const isBefore = (at: number) => dates[at]! < date || (dates[at] === date && compareValues(keys[at]!, key) < 0)
  // Mostly facts come in order.
  if (dates.length === 0 || isBefore(dates.length - 1)) return dates.length
  let [low, high] = [0, dates.length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}

export function saveInOrder(to: Writer, { dates, keys, values }: InOrder): void {
  putValues(to, values)
  for (const [i, date] of dates.entries()) putWhole(to, less(date, i === 0 ? 0 : dates[i - 1]!))
  for (const key of keys) putText(to, key)
}

export function loadInOrder(from: Reader): InOrder {
  const values = Array.from(takeValues(from))
  const dates: Whole[] = []
  for (const _ of values) dates.push(less(takeWhole(from), -(dates.at(-1) ?? 0)))
  return { dates, values, keys: values.map(() => takeText(from)) }
}

/** Of one; keys are texts, too. */
export const mostFactBytes = (bytes: number): number => mostValueBytes(bytes) + 10 + 4 + bytes
