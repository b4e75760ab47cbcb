/** Records that wait for rows of tables: which of them look for a row, which have waited long enough, and which are too many. */
import { rowName } from './event-joins.ts'

/** What a record waits for: one of these rows, and no longer than until then, in milliseconds since 1970. */
type Wait = { readonly untilMs: number; readonly looked: readonly string[] }

type Waiting = Wait & { readonly value: Uint8Array }

export type Room = { readonly most: number; readonly mostBytes: number }

export type WaitingRecords = {
  /** Behind all others; its number. */
  add(value: Uint8Array, wait: Wait): number
  valueOf(number: number): Uint8Array
  waitOn(number: number, wait: Wait): void
  remove(number: number): void
  /** Those that look for the rows of these keys are to be looked at. */
  changed(table: string, keys: readonly string[]): void
  /** All are to be looked at. */
  allChanged(): void
  /** So many of those that are to be looked at, or have waited long enough, oldest first; and whether there are more. */
  due(nowMs: number, most: number): { readonly numbers: readonly number[]; readonly more: boolean }
  /** The oldest, without which there is room for the others. */
  crowd(): readonly number[]
  /** Infinity where nothing is to be looked at, however late it gets. */
  nextMs(): number
  count(): number
}

/** Those that were saved are looked at first. */
export function waitingRecords(saved: ReadonlyMap<string, Uint8Array>, { most, mostBytes }: Room): WaitingRecords {
  /** By their numbers, in their order. */
  const waiting = new Map<number, Waiting>()
  const lookers = new Map<string, Set<number>>()
  const toLookAt = new Set<number>()
  let [bytes, last, firstMs] = [0, 0, Infinity]

  const put = (number: number, one: Waiting) => {
    waiting.set(number, one)
    bytes += one.value.length
    firstMs = Math.min(firstMs, one.untilMs)
    for (const name of one.looked) {
      const some = lookers.get(name)
      if (some) some.add(number)
      else lookers.set(name, new Set([number]))
    }
  }
  const takeOut = (number: number): Waiting => {
    const one = waiting.get(number)!
    bytes -= one.value.length
    for (const name of one.looked) {
      const some = lookers.get(name)!
      some.delete(number)
      if (some.size === 0) lookers.delete(name)
    }
    toLookAt.delete(number)
    return one
  }

  const before = [...saved].map(([key, value]) => [Number(key), value] as const).sort(([a], [b]) => a - b)
  for (const [number, value] of before) {
    put((last = number), { value, untilMs: Infinity, looked: [] })
    toLookAt.add(number)
  }

  return {
    add(value, wait) {
      put(++last, { ...wait, value })
      return last
    },
    valueOf: (number) => waiting.get(number)!.value,
    waitOn(number, wait) {
      const { value } = takeOut(number)
      put(number, { ...wait, value })
    },
    remove(number) {
      takeOut(number)
      waiting.delete(number)
    },
    changed(table, keys) {
      if (waiting.size === 0) return
      for (const key of keys) for (const number of lookers.get(rowName(table, key)) ?? []) toLookAt.add(number)
    },
    allChanged() {
      for (const number of waiting.keys()) toLookAt.add(number)
    },
    due(nowMs, most) {
      if (nowMs >= firstMs) {
        firstMs = Infinity
        for (const [number, { untilMs }] of waiting)
          if (untilMs <= nowMs) toLookAt.add(number)
          else firstMs = Math.min(firstMs, untilMs)
      }
      const numbers = [...toLookAt].sort((a, b) => a - b).slice(0, most)
      return { numbers, more: toLookAt.size > numbers.length }
    },
    crowd() {
      const numbers: number[] = []
      let [left, held] = [waiting.size, bytes]
      for (const [number, { value }] of waiting) {
        if (left <= most && held <= mostBytes) break
        numbers.push(number)
        left--
        held -= value.length
      }
      return numbers
    },
    nextMs: () => (toLookAt.size > 0 ? 0 : waiting.size > 0 ? firstMs : Infinity),
    count: () => waiting.size,
  }
}
