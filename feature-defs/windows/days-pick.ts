/**
 * Min, max and last over the last d days: of the buckets in the window, the one that ranks highest.
 *
 * State: a value and its rank for every distinct day seen, 24 bytes in memory, saved in at most 21. A record of the same day costs one
 * comparison; another day looks at the buckets that enter, and at all of the window only when the one in the lead leaves it.
 */
import { insertOwn, moveTo, noWindow, ownBucket, type DayWindow } from './day-buckets.ts'
import { roundDecimal } from '../decimal.ts'
import type { Computation } from '../define-operator.ts'
import { layoutOf, putCount, putNumbers, putSigned, savedAs, takeCount, takeNumbers, takeSigned } from '../state-bytes.ts'

const layout = layoutOf(6)

type State = DayWindow & {
  readonly values: number[]
  readonly ranks: number[]
  /** How many values were seen. */
  seen: number
  /** The value in the lead and its rank; -Infinity when the window is empty. */
  value: number
  rank: number
}

export function daysPick(op: 'min' | 'max' | 'last', length: number, round: number | undefined): Computation<State, Float64Array> {
  const init = (): State => ({ ...noWindow(), values: [], ranks: [], seen: 0, value: NaN, rank: -Infinity })
  const rankOf = (value: number, seen: number) => (op === 'last' ? seen : op === 'max' ? value : -value)

  const take = (state: State, value: number): void => {
    const rank = rankOf(value, ++state.seen)
    let own = ownBucket(state)
    if (own < 0) {
      own = insertOwn(state)
      state.values.splice(own, 0, value)
      state.ranks.splice(own, 0, rank)
    } else if (rank > state.ranks[own]!) {
      state.values[own] = value
      state.ranks[own] = rank
    }
    lead(state, own)
  }

  return {
    init,
    run(state, input, { days }, out, from, to) {
      for (let row = from; row < to; row++) {
        const value = input[row]!
        if (days[row] !== state.day) move(state, days[row]!, length)
        if (value === value) take(state, value + 0)
        out[row] = round === undefined ? state.value : roundDecimal(state.value, round)
      }
    },
    ...savedAs<State>(
      layout,
      (to, state) => {
        putNumbers(to, state.values)
        state.days.forEach((day, index) => putSigned(to, day - (state.days[index - 1] ?? 0)))
        if (op === 'last') for (const rank of state.ranks) putCount(to, rank)
      },
      (from) => {
        const state = init()
        for (const value of takeNumbers(from)) state.values.push(value)
        for (const index of state.values.keys()) state.days.push(takeSigned(from) + (state.days[index - 1] ?? 0))
        for (const value of state.values) {
          const rank = op === 'last' ? takeCount(from) : rankOf(value, 0)
          state.ranks.push(rank)
          if (op === 'last') state.seen = Math.max(state.seen, rank)
        }
        return state
      },
    ),
    mostBytes: (distinctDays) => 16 + 21 * distinctDays,
  }
}

function lead(state: State, bucket: number): void {
  if (state.ranks[bucket]! < state.rank) return
  state.rank = state.ranks[bucket]!
  state.value = state.values[bucket]!
}

function move(state: State, day: number, length: number): void {
  const { from, to, ranks, rank } = state
  moveTo(state, day, length)
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
