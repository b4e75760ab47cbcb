/**
 * Count, sum, mean and stddev over a window of time: exact totals for every distinct place seen, and of the window, which adds the places
 * that enter and subtracts those that leave.
 *
 * State: 32 bytes a place in memory; saved in at most 30 (stddev; the others 21), a wide one in as many as its decimals have digits.
 */
import { insertOwn, moveTo, noWindow, ownBucket, putPlace, takePlace } from './buckets.ts'
import { fifteenDigits, fits, mostScale, scaledBy, tens } from '../decimal.ts'
import type { State, Wide } from './buckets-totals-state.ts'
import { addUpWindow, addWide, saveWide, takeWide, widen } from './buckets-totals-wide.ts'
import type { Computation } from '../define-operator.ts'
import { layoutOf, putCount, putSigned, readerOf, takeCount, takeLayout, takeSigned } from '../state-bytes.ts'
import type { Whole } from '../values.ts'
import type { Reach } from './reach.ts'
import { plansFor, readTotals, readWide, type Totals } from './totals.ts'

const [narrowLayout, wideLayout] = [layoutOf(4), layoutOf(5)]

/** Two of these still add up exactly. */
const safe = 2 ** 51

/** The most digits that a sum of 2^53 doubles can have, from 10^308 down to 5 · 10^-324, and one of their squares. */
const widestSum = 652
const widestSquares = 1300

export function bucketsTotals(totals: Totals, reach: Reach): Computation<State, ArrayLike<Whole>> {
  const { op } = totals
  const plans = plansFor(totals)
  const squaring = op === 'stddev'
  const init = (): State => ({ ...noWindow(), counts: [], sums: [], squares: [], scale: 0, count: 0, sum: 0, square: 0, wide: null })

  /** Adds the value to its place and the window, unless it does not fit. */
  const take = (state: State, value: Whole): boolean => {
    if (typeof value === 'bigint') return false
    const { power } = plans[state.scale]!
    const scaled = scaledBy(value, power)
    const square = squaring ? scaled * scaled : 0
    if (scaled / power !== value || Math.abs(scaled) > fifteenDigits || square > safe) return false
    const own = ownPlace(state)
    const sum = state.sums[own]! + scaled
    const squares = state.squares[own]! + square
    if (Math.abs(sum) > safe || Math.abs(state.sum + scaled) > safe || squares > safe || state.square + square > safe) return false
    state.counts[own]!++
    state.sums[own] = sum
    state.squares[own] = squares
    if (!state.inside) return true
    state.count++
    state.sum += scaled
    state.square += square
    return true
  }

  const step = (state: State, value: Whole, place: Whole): Whole => {
    if (state.wide) return stepWide(state, state.wide, value, place)
    if (place !== state.place && !move(state, place, reach)) {
      widen(state, squaring)
      return step(state, value, place)
    }
    if (value === value && !take(state, value)) {
      if (!raise(state, value, squaring)) widen(state, squaring)
      return step(state, value, place)
    }
    return readTotals(plans[state.scale]!, state.count, state.sum, state.square)
  }

  const stepWide = (state: State, wide: Wide, value: Whole, place: Whole): Whole => {
    if (place !== state.place) {
      moveTo(state, place, reach)
      addUpWindow(state, wide)
    }
    if (value === value) addWide(state, wide, ownPlace(state), value, squaring)
    return readWide(plans[0]!, state.count, wide.sum, wide.square, wide.scale)
  }

  return {
    init,
    places: reach.places,
    run(state, input, places, out, from, to) {
      for (let row = from; row < to; row++) {
        const value = input[row]!
        out[row] = step(state, op === 'count' && value === value ? 1 : value, places[row]!)
      }
    },
    put(to, state) {
      putCount(to, state.wide ? wideLayout : narrowLayout)
      putCount(to, state.places.length)
      putCount(to, state.scale)
      state.places.forEach((_, index) => {
        putPlace(to, state, index)
        putCount(to, state.counts[index]!)
      })
      if (state.wide) saveWide(to, state.wide)
      else {
        for (const sum of state.sums) putSigned(to, sum)
        if (squaring) for (const square of state.squares) putCount(to, square)
      }
    },
    load(saved) {
      const from = readerOf(saved)
      const layout = takeLayout(from, narrowLayout, wideLayout)
      const state = init()
      const length = takeCount(from)
      state.scale = takeCount(from)
      for (let index = 0; index < length; index++) {
        takePlace(from, state)
        state.counts.push(takeCount(from))
      }
      if (layout === wideLayout) state.wide = takeWide(from, length)
      else {
        for (let index = 0; index < length; index++) state.sums.push(takeSigned(from))
        for (let index = 0; index < length; index++) state.squares.push(squaring ? takeCount(from) : 0)
      }
      return state
    },
    mostBytes: ({ places }) => 16 + (op === 'count' ? 22 : 16 + widestSum + widestSquares) * places,
  }
}

/** The place of the window's own place, made if it is not there. */
function ownPlace(state: State): number {
  const known = ownBucket(state)
  if (known >= 0) return known
  const own = insertOwn(state)
  state.counts.splice(own, 0, 0)
  if (state.wide) {
    state.wide.sums.splice(own, 0, 0n)
    state.wide.squares.splice(own, 0, 0n)
  } else {
    state.sums.splice(own, 0, 0)
    state.squares.splice(own, 0, 0)
  }
  return own
}

/** False when the window's totals do not fit: they are without meaning then. */
function move(state: State, place: Whole, reach: Reach): boolean {
  const { from, to } = state
  moveTo(state, place, reach)
  const overlaps = state.from < to && state.to > from
  if (
    overlaps &&
    add(state, state.from, from, 1) &&
    add(state, to, state.to, 1) &&
    add(state, from, state.from, -1) &&
    add(state, state.to, to, -1)
  )
    return true
  // Apart from the window before, or too large together with it.
  state.count = state.sum = state.square = 0
  return add(state, state.from, state.to, 1)
}

function add(state: State, from: number, to: number, sign: 1 | -1): boolean {
  for (let bucket = from; bucket < to; bucket++) {
    state.count += sign * state.counts[bucket]!
    state.sum += sign * state.sums[bucket]!
    state.square += sign * state.squares[bucket]!
    if (Math.abs(state.sum) > safe || state.square > safe) return false
  }
  return true
}

/**
 * Goes to a scale at which the value is a whole number; false when there is none, when the totals would not fit it, or when the scale was
 * not in the way.
 */
function raise(state: State, value: Whole, squaring: boolean): boolean {
  if (typeof value === 'bigint') return false
  let scale = state.scale
  while (scale <= mostScale && !fits(value, scale, fifteenDigits)) scale++
  if (scale > mostScale || scale === state.scale) return false
  const factor = tens[scale - state.scale]!
  const fit = (totals: readonly number[], by: number) => totals.every((total) => Math.abs(total) * by <= safe)
  if (!fit([state.sum, ...state.sums], factor)) return false
  if (squaring && !fit([state.square, ...state.squares], factor * factor)) return false
  for (const bucket of state.sums.keys()) {
    state.sums[bucket]! *= factor
    state.squares[bucket]! *= factor * factor
  }
  state.scale = scale
  state.sum *= factor
  state.square *= factor * factor
  return true
}
