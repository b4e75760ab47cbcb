/**
 * What is gathered of the last n facts that stand, in the order of when they happened.
 *
 * State: all that stand, nulls too, since one that is taken makes room for the one before; what is gathered follows from it.
 */
import { layoutOf, savedAs } from '../state-bytes.ts'
import type { Value } from '../values.ts'
import { find, insert, loadInOrder, mostFactBytes, noFacts, remove, saveInOrder, type InOrder } from './in-order.ts'
import type { Gathering, Standing } from './standing.ts'

const layout = layoutOf(22)

type State<All> = { readonly facts: InOrder; readonly all: All }

export function overLast<All>(gathering: Gathering<All, unknown>, last: number): Standing<State<All>> {
  const come = ({ all }: State<All>, value: Value | undefined) => {
    if (value === value) gathering.add(all, value!)
  }
  const go = ({ all }: State<All>, value: Value | undefined) => {
    if (value === value) gathering.take(all, value!)
  }

  return {
    init: () => ({ facts: noFacts(), all: gathering.all() }),
    add(state, value, date, key) {
      const { values } = state.facts
      const first = Math.max(0, values.length - last)
      const at = insert(state.facts, value, date, key)
      if (values.length <= last) return come(state, value)
      // Before the first of the window it changes nothing, and otherwise that one leaves.
      if (at <= first) return
      go(state, values[first])
      come(state, value)
    },
    take(state, _, date, key) {
      const at = find(state.facts, date, key)
      if (at < 0) return
      const { values } = state.facts
      const first = Math.max(0, values.length - last)
      const value = values[at]
      remove(state.facts, at)
      if (at < first) return
      go(state, value)
      if (first > 0) come(state, values[first - 1])
    },
    read: ({ all }) => gathering.read(all),
    ...savedAs<State<All>>(
      layout,
      (to, { facts }) => saveInOrder(to, facts),
      (from) => {
        const state = { facts: loadInOrder(from), all: gathering.all() }
        const { values } = state.facts
        for (let at = Math.max(0, values.length - last); at < values.length; at++) come(state, values[at])
        return state
      },
    ),
    inOrder: true,
    mostBytes: ({ values, bytes }) => 16 + mostFactBytes(bytes) * values,
  }
}
