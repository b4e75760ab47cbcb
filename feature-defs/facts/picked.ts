/**
 * The first or the last value of the facts that stand, in the order of when they happened.
 *
 * State: those that can be in a window now or later; nulls only in one of so many facts, where they take a place.
 */
import { roundDecimal } from '../decimal.ts'
import { layoutOf, putCount, readerOf, savedAs, takeLayout } from '../state-bytes.ts'
import type { Value, Whole } from '../values.ts'
import { find, insert, loadInOrder, mostFactBytes, noFacts, remove, saveInOrder, type InOrder } from './in-order.ts'
import { putDate, takeDate } from './over-span.ts'
import type { Span } from './spans.ts'
import type { Standing } from './standing.ts'

const [factsLayout, spanLayout] = [layoutOf(23), layoutOf(24)]

export type End = 'first' | 'last'

const rounded = (value: Value | undefined, round: number | undefined): Value => {
  if (value === undefined) return NaN
  return round === undefined ? value : roundDecimal(value as number, round)
}

const takeOut = (facts: InOrder, date: Whole, key: string): void => {
  const at = find(facts, date, key)
  if (at >= 0) remove(facts, at)
}

/** Of the last n, or of all. */
export function pickedOfLast(end: End, last: number, round: number | undefined): Standing<InOrder> {
  const isValue = (value: Value) => value === value
  return {
    init: noFacts,
    add(facts, value, date, key) {
      if (last < Infinity || isValue(value)) insert(facts, value, date, key)
    },
    take: (facts, _, date, key) => takeOut(facts, date, key),
    read({ values }) {
      const first = Math.max(0, values.length - last)
      let at = end === 'first' ? first : values.length - 1
      while (at >= first && at < values.length && !isValue(values[at]!)) at += end === 'first' ? 1 : -1
      return rounded(at >= first ? values[at] : undefined, round)
    },
    ...savedAs<InOrder>(factsLayout, saveInOrder, loadInOrder),
    inOrder: true,
    mostBytes: ({ values, bytes }) => 16 + mostFactBytes(bytes) * values,
  }
}

type State = { date: Whole; facts: InOrder }

/** Of a window of time. */
export function pickedOver(end: End, { enters, leaves }: Span, round: number | undefined): Standing<State> {
  /** How many have entered: they stand in front. */
  const entered = ({ facts: { dates }, date }: State): number => {
    let [low, high] = [0, dates.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (enters(dates[middle]!) <= date) low = middle + 1
      else high = middle
    }
    return low
  }
  const hasLeft = (at: Whole, date: Whole) => leaves !== undefined && leaves(enters(at)) <= date

  return {
    init: () => ({ date: -Infinity, facts: noFacts() }),
    reach(state, date) {
      if (date <= state.date) return
      state.date = date
      const { dates } = state.facts
      let gone = 0
      while (gone < dates.length && hasLeft(dates[gone]!, date)) gone++
      if (gone > 0) remove(state.facts, 0, gone)
    },
    add(state, value, at, key) {
      if (value === value && !hasLeft(at, state.date)) insert(state.facts, value, at, key)
    },
    take: ({ facts }, _, at, key) => takeOut(facts, at, key),
    read(state) {
      const inside = entered(state)
      if (inside === 0) return NaN
      return rounded(state.facts.values[end === 'first' ? 0 : inside - 1], round)
    },
    due(state) {
      const { dates } = state.facts
      const waiting = dates[entered(state)]
      const enter = waiting === undefined ? Infinity : enters(waiting)
      const leave = dates.length > 0 && leaves ? leaves(enters(dates[0]!)) : Infinity
      return enter < leave ? enter : leave
    },
    put(to, { date, facts }) {
      putCount(to, spanLayout)
      putDate(to, date)
      saveInOrder(to, facts)
    },
    load(saved) {
      const from = readerOf(saved)
      takeLayout(from, spanLayout)
      return { date: takeDate(from), facts: loadInOrder(from) }
    },
    inOrder: true,
    mostBytes: ({ values, bytes }) => 32 + mostFactBytes(bytes) * values,
  }
}
