/**
 * What is read off the values of the last n records.
 *
 * State: those values, nulls too, in a ring, and a bag of them, which follows from it.
 */
import type { Computation } from '../define-operator.ts'
import { layoutOf, savedAs } from '../state-bytes.ts'
import { mostValueBytes, putValues, takeValues } from '../state-values.ts'
import type { Value, Values } from '../values.ts'
import { emptyBag, put, take, type Bag } from './bag.ts'

const layout = layoutOf(8)

/** The feature's value for a bag; `memory` belongs to the state, and is not saved. */
export type ReadBag = (bag: Bag, memory: BagMemory) => Value
export type BagMemory = { changes: number; value: Value }
export const noMemory = (): BagMemory => ({ changes: -1, value: NaN })

type State = { readonly ring: Value[]; at: number; readonly bag: Bag; readonly memory: BagMemory }

export function rowsBag(read: ReadBag, last: number): Computation<State, Values> {
  const init = (): State => ({ ring: [], at: 0, bag: emptyBag(), memory: noMemory() })

  const push = (state: State, value: Value): void => {
    const { ring, bag } = state
    const leaving = ring.length === last ? ring[state.at]! : NaN
    ring[state.at] = value
    state.at = state.at + 1 === last ? 0 : state.at + 1
    if (leaving === value) return
    if (leaving === leaving) take(bag, leaving)
    if (value === value) put(bag, value)
  }

  return {
    init,
    now: ({ bag, memory }) => read(bag, memory),
    run(state, input, places, out, from, to) {
      for (let row = from; row < to; row++) {
        const value = input[row]!
        push(state, typeof value === 'number' ? value + 0 : value)
        out[row] = read(state.bag, state.memory)
      }
    },
    ...savedAs<State>(
      layout,
      (to, { ring, at }) => putValues(to, ring, ring.length, ring.length === last ? at : 0),
      (from) => {
        const state = init()
        const values = takeValues(from)
        if (values.length > last) throw new RangeError(`a saved window of ${values.length} records was given to one of ${last}`)
        for (let index = 0; index < values.length; index++) push(state, values[index]!)
        return state
      },
    ),
    mostBytes: ({ bytes }) => 16 + mostValueBytes(bytes) * last,
  }
}
