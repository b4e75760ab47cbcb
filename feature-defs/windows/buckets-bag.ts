/**
 * What is read off the values of a window of time.
 *
 * State: for every distinct place seen the different values there, and how often each came; and a bag of those in the window. Over all
 * records that is each different value once.
 */
import type { Computation } from '../define-operator.ts'
import { layoutOf, putCount, savedAs, takeCount } from '../state-bytes.ts'
import { mostValueBytes, putValues, takeValues } from '../state-values.ts'
import type { Value, Values, Whole } from '../values.ts'
import { empty, emptyBag, put, take, type Bag } from './bag.ts'
import { insertOwn, moveTo, noWindow, ownBucket, putPlace, takePlace, type TimeWindow } from './buckets.ts'
import type { Reach } from './reach.ts'
import { noMemory, type BagMemory, type ReadBag } from './rows-bag.ts'

const layout = layoutOf(9)

type Counts = Map<Value, number>
type State = TimeWindow & { readonly buckets: Counts[]; readonly bag: Bag; readonly memory: BagMemory }

export function bucketsBag(read: ReadBag, reach: Reach): Computation<State, Values> {
  const init = (): State => ({ ...noWindow(), buckets: [], bag: emptyBag(), memory: noMemory() })

  const push = (state: State, value: Value): void => {
    let own = ownBucket(state)
    if (own < 0) state.buckets.splice((own = insertOwn(state)), 0, new Map())
    const counts = state.buckets[own]!
    counts.set(value, (counts.get(value) ?? 0) + 1)
    if (state.inside) put(state.bag, value)
  }

  return {
    init,
    places: reach.places,
    run(state, input, places, out, from, to) {
      for (let row = from; row < to; row++) {
        const value = input[row]!
        if (places[row] !== state.place) move(state, places[row]!, reach)
        if (value === value) push(state, typeof value === 'number' ? value + 0 : value)
        out[row] = read(state.bag, state.memory)
      }
    },
    ...savedAs<State>(
      layout,
      (to, state) => {
        putCount(to, state.places.length)
        state.buckets.forEach((counts, index) => {
          putPlace(to, state, index)
          putValues(to, [...counts.keys()])
          for (const count of counts.values()) putCount(to, count)
        })
      },
      (from) => {
        const state = init()
        for (let left = takeCount(from); left > 0; left--) {
          takePlace(from, state)
          state.buckets.push(new Map(Array.from(takeValues(from), (value) => [value, 0] as const)))
          const counts = state.buckets.at(-1)!
          for (const value of counts.keys()) counts.set(value, takeCount(from))
        }
        return state
      },
    ),
    mostBytes: ({ places, values, bytes }) => 16 + 16 * places + (8 + mostValueBytes(bytes)) * values,
  }
}

function move(state: State, place: Whole, reach: Reach): void {
  const { from, to, buckets, bag } = state
  moveTo(state, place, reach)
  const enter = (first: number, end: number) => {
    for (let at = first; at < end; at++) for (const [value, times] of buckets[at]!) put(bag, value, times)
  }
  const leave = (first: number, end: number) => {
    for (let at = first; at < end; at++) for (const [value, times] of buckets[at]!) take(bag, value, times)
  }
  if (state.from >= to || state.to <= from) {
    empty(bag)
    return enter(state.from, state.to)
  }
  enter(state.from, from)
  enter(to, state.to)
  leave(from, state.from)
  leave(state.to, to)
}
