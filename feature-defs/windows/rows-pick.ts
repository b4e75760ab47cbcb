/**
 * Min, max, first and last over the last n records.
 *
 * Kept are only the values that can still become the result: each is beaten by none that came after it, so the first is the result.
 * State: at most n such values with their places, in memory 16 bytes each, numbers saved in at most 11; for values in no
 * order about ln n of them. Wide whole numbers and texts take what they have.
 */
import { roundDecimal } from '../decimal.ts'
import type { Computation } from '../define-operator.ts'
import { layoutOf, putCount, savedAs, takeCount } from '../state-bytes.ts'
import { mostValueBytes, putValues, takeValues } from '../state-values.ts'
import type { Value, Values } from '../values.ts'

const layout = layoutOf(2)

type State = {
  /** How many records were seen. */
  seen: number
  /** Rings of the same length, a power of two: the values still in the running, oldest first, and the value of `seen` at each. */
  values: Value[]
  places: number[]
  head: number
  length: number
}

export type Pick = 'min' | 'max' | 'first' | 'last'

const staying: { readonly [pick in Pick]: (before: Value, value: Value) => boolean } = {
  min: (before, value) => before < value,
  max: (before, value) => before > value,
  first: () => true,
  last: () => false,
}

/** Of any values for first and last; for min and max of numbers. */
export function rowsPick(op: Pick, last: number, round: number | undefined): Computation<State, Values> {
  const init = (): State => ({ seen: 0, values: [NaN, NaN, NaN, NaN], places: [0, 0, 0, 0], head: 0, length: 0 })

  /** Whether a value can still become the result once a later one is there. */
  const stays = staying[op]

  const push = (state: State, value: Value): void => {
    const { values } = state
    const mask = values.length - 1
    while (state.length > 0) {
      const tail = values[(state.head + state.length - 1) & mask]!
      if (stays(tail, value)) break
      state.length--
    }
    append(state, value, state.seen)
  }

  const now = (state: State): Value => {
    const pick = state.length === 0 ? NaN : state.values[state.head]!
    return round === undefined ? pick : roundDecimal(pick as number, round)
  }

  return {
    init,
    now,
    run(state, input, places, out, from, to) {
      for (let row = from; row < to; row++) {
        const value = input[row]!
        state.seen++
        if (state.length > 0 && state.places[state.head]! <= state.seen - last) {
          state.head = (state.head + 1) & (state.values.length - 1)
          state.length--
        }
        if (value === value) push(state, typeof value === 'number' ? value + 0 : value)
        out[row] = now(state)
      }
    },
    ...savedAs<State>(
      layout,
      (to, state) => {
        const order = Array.from({ length: state.length }, (_, index) => (state.head + index) & (state.values.length - 1))
        putValues(
          to,
          order.map((at) => state.values[at]!),
        )
        for (const at of order) putCount(to, state.seen - state.places[at]!)
      },
      (from) => {
        const state = init()
        const values = takeValues(from)
        state.seen = last
        for (let index = 0; index < values.length; index++) append(state, values[index]!, last - takeCount(from))
        return state
      },
    ),
    mostBytes: ({ bytes }) => 16 + (mostValueBytes(bytes) + 3) * last,
  }
}

function append(state: State, value: Value, place: number): void {
  if (state.length === state.values.length) grow(state)
  const at = (state.head + state.length++) & (state.values.length - 1)
  state.values[at] = value
  state.places[at] = place
}

/** Doubles both rings; what had wrapped round then stands behind the rest. */
function grow(state: State): void {
  state.values = state.values.concat(state.values)
  state.places = state.places.concat(state.places)
}
