/** The values of facts that stand with how often each is there, in order: for what cannot be told from totals. */
import { putCount, takeCount } from '../state-bytes.ts'
import { mostValueBytes, putValues, takeValues } from '../state-values.ts'
import type { Value } from '../values.ts'
import { emptyBag, put, take, type Bag } from '../windows/bag.ts'
import { noMemory, type BagMemory, type ReadBag } from '../windows/rows-bag.ts'
import type { Gathering } from './standing.ts'

type All = { readonly bag: Bag; readonly memory: BagMemory }
type Counts = Map<Value, number>

export function gatheredBag(read: ReadBag): Gathering<All, Counts> {
  return {
    all: () => ({ bag: emptyBag(), memory: noMemory() }),
    add: ({ bag }, value) => putSome(bag, value, 1),
    take: ({ bag }, value) => takeSome(bag, value, 1),
    read: ({ bag, memory }) => read(bag, memory),
    partOf: ({ bag }) => bag.counts,
    part: () => new Map(),
    addTo: (part, value) => addTimes(part, value, 1),
    takeFrom: (part, value) => addTimes(part, value, -1),
    isEmpty: ({ size }) => size === 0,
    join(part, other) {
      for (const [value, times] of other) addTimes(part, value, times)
    },
    enter({ bag }, part) {
      for (const [value, times] of part) putSome(bag, value, times)
    },
    leave({ bag }, part) {
      for (const [value, times] of part) takeSome(bag, value, times)
    },
    putPart(to, part) {
      putValues(to, [...part.keys()])
      for (const times of part.values()) putCount(to, times)
    },
    takePart: (from) => new Map(Array.from(takeValues(from)).map((value) => [value, takeCount(from)] as const)),
    mostPartBytes: 16,
    mostValueBytes: (bytes) => mostValueBytes(bytes) + 8,
  }
}

function putSome(bag: Bag, value: Value, times: number): void {
  if (value === value) put(bag, value, times)
}

/** What never came is not there to be taken. */
function takeSome(bag: Bag, value: Value, times: number): void {
  const there = Math.min(times, bag.counts.get(value) ?? 0)
  if (there > 0) take(bag, value, there)
}

function addTimes(part: Counts, value: Value, times: number): void {
  if (value !== value) return
  const now = (part.get(value) ?? 0) + times
  if (now > 0) part.set(value, now)
  else part.delete(value)
}
