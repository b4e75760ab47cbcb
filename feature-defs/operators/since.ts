/** The time since the last record that has a value. State: when that was; saved in at most 12 bytes. */
import { nearestDouble, roundRatio } from '../decimal.ts'
import { defineOperator, type Computation } from '../define-operator.ts'
import { aNumber, ofAny } from '../gives.ts'
import { round, type Unit } from '../options.ts'
import { layoutOf, putCount, putWhole, savedAs, takeCount, takeWhole } from '../state-bytes.ts'
import { presence } from '../takes.ts'
import { less, type Whole } from '../values.ts'
import { hourMicros, microsOf } from '../windows/reach.ts'

const layout = layoutOf(10)

/** NaN before the first value. */
type State = { place: Whole }

function elapsed(unit: Unit, round: number | undefined): Computation<State, Float64Array> {
  const per = unit === 'days' ? 1 : hourMicros
  const read = (since: Whole): number => {
    if (round !== undefined) return roundRatio(BigInt(since), BigInt(per), round)
    return typeof since === 'number' ? since / per + 0 : nearestDouble(since, BigInt(per))
  }
  return {
    init: () => ({ place: NaN }),
    places: unit === 'days' ? ({ days }) => days : microsOf,
    run(state, input, places, out, from, to) {
      for (let row = from; row < to; row++) {
        const place = places[row]!
        if (input[row] === input[row]) state.place = place
        out[row] = state.place !== state.place ? NaN : read(less(place, state.place))
      }
    },
    ...savedAs<State>(
      layout,
      (to, { place }) => {
        putCount(to, place === place ? 1 : 0)
        if (place === place) putWhole(to, place)
      },
      (from) => ({ place: takeCount(from) === 0 ? NaN : takeWhole(from) }),
    ),
    mostBytes: () => 16,
  }
}

/**
 * Days or hours since the last record, in the order of the log, that has a value: 0 when this one has, less when that one happened later.
 */
export const since = defineOperator({
  op: 'since',
  gives: ofAny(aNumber),
  reads: presence,
  params: { round },
  overFacts: 'Use max of its date over { all: true }, and subtract where you ask.',
  windows: { unit: (unit, { round }) => elapsed(unit, round) },
  exact(_, { unit }, { at, now }) {
    const last = at.at(-1)
    if (!last) return null
    if (unit === 'days') return now.day - last.day
    return { over: now.micros! - last.micros!, under: 3_600_000_000n }
  },
})
