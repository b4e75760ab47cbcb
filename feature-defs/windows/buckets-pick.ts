/**
 * Min, max, first and last over a window of time: of the buckets in the window, the one whose value goes before the others'.
 *
 * State: a value and its rank for every distinct place seen, 24 bytes in memory, a number saved in at most 21. A record of the same place
 * costs one comparison; another place looks at the buckets that enter, and at all of the window only when the one in the lead leaves it.
 */
import { insertOwn, moveTo, noWindow, ownBucket, putPlace, takePlace, type TimeWindow } from './buckets.ts'
import { roundDecimal } from '../decimal.ts'
import type { Computation } from '../define-operator.ts'
import { layoutOf, putCount, savedAs, takeCount } from '../state-bytes.ts'
import { mostValueBytes, putValues, takeValues } from '../state-values.ts'
import type { Value, Values, Whole } from '../values.ts'
import type { Pick } from './rows-pick.ts'
import type { Reach } from './reach.ts'

const layout = layoutOf(6)

type State = TimeWindow & {
  readonly values: Value[]
  readonly ranks: Whole[]
  /** How many values were seen. */
  seen: number
  /** The value in the lead and its rank; -Infinity when the window is empty. */
  value: Value
  rank: Whole
}

/** The value of the highest rank is the result. */
const ranking: { readonly [pick in Pick]: (value: Value, seen: number) => Whole } = {
  min: (value) => -(value as Whole),
  max: (value) => value as Whole,
  first: (_, seen) => -seen,
  last: (_, seen) => seen,
}

/** Of any values for first and last; for min and max of numbers. */
export function bucketsPick(op: Pick, reach: Reach, round: number | undefined): Computation<State, Values> {
  const init = (): State => ({ ...noWindow(), values: [], ranks: [], seen: 0, value: NaN, rank: -Infinity })
  const byArrival = op === 'first' || op === 'last'
  const rankOf = ranking[op]

  const take = (state: State, value: Value): void => {
    let own = ownBucket(state)
    if (own >= 0 && op === 'first') return
    const rank = rankOf(value, ++state.seen)
    if (own < 0) {
      own = insertOwn(state)
      state.values.splice(own, 0, value)
      state.ranks.splice(own, 0, rank)
    } else if (rank > state.ranks[own]!) {
      state.values[own] = value
      state.ranks[own] = rank
    }
    if (state.inside) lead(state, own)
  }

  return {
    init,
    places: reach.places,
    run(state, input, places, out, from, to) {
      for (let row = from; row < to; row++) {
        const value = input[row]!
        if (places[row] !== state.place) move(state, places[row]!, reach)
        if (value === value) take(state, typeof value === 'number' ? value + 0 : value)
        out[row] = round === undefined ? state.value : roundDecimal(state.value as number, round)
      }
    },
    ...savedAs<State>(
      layout,
      (to, state) => {
        putValues(to, state.values)
        state.places.forEach((_, index) => putPlace(to, state, index))
        if (byArrival) for (const rank of state.ranks) putCount(to, Math.abs(rank as number))
      },
      (from) => {
        const state = init()
        const values = takeValues(from)
        for (let index = 0; index < values.length; index++) state.values.push(values[index]!)
        for (const _ of state.values) takePlace(from, state)
        for (const value of state.values) {
          const seen = byArrival ? takeCount(from) : 0
          state.ranks.push(rankOf(value, seen))
          state.seen = Math.max(state.seen, seen)
        }
        return state
      },
    ),
    mostBytes: ({ places, bytes }) => 16 + (mostValueBytes(bytes) + 19) * places,
  }
}

function lead(state: State, bucket: number): void {
  if (state.ranks[bucket]! < state.rank) return
  state.rank = state.ranks[bucket]!
  state.value = state.values[bucket]!
}

function move(state: State, place: Whole, reach: Reach): void {
  const { from, to, ranks, rank } = state
  moveTo(state, place, reach)
  const disjoint = state.from >= to || state.to <= from
  const lost =
    disjoint || ranks.slice(from, Math.max(from, state.from)).includes(rank) || ranks.slice(Math.min(to, state.to), to).includes(rank)
  if (lost) {
    state.rank = -Infinity
    state.value = NaN
    for (let bucket = state.from; bucket < state.to; bucket++) lead(state, bucket)
  } else {
    for (let bucket = state.from; bucket < from; bucket++) lead(state, bucket)
    for (let bucket = to; bucket < state.to; bucket++) lead(state, bucket)
  }
}
