/** The engine: pushes batches of records through a version's operators; batch, stream and replay are all this one call. */
import type { Definition } from './feature-set.ts'
import type { Inputs } from './inputs.ts'
import type { Operator } from './operators/operator.ts'
import { operatorOf } from './operators/operators.ts'
import { putBytes, putCount, putText, readerOf, takeBytes, takeCount, takeText, written } from './operators/state-bytes.ts'

export interface Engine {
  /** One column of values per feature, in the definition's order; NaN is null. */
  push(inputs: Inputs): readonly Float64Array[]
  /** The entries of state that changed since the last call, or since the engine was made: key → bytes. Without `per` the one key is ''. */
  changes(): Map<string, Uint8Array>
  /** The whole state: the same entries for every key. */
  snapshot(): Map<string, Uint8Array>
}

/** A feature at work, with one state per slot: the place of a key, in the order keys were first met. */
type Lane = { readonly name: string; readonly of: string; readonly operator: Operator<unknown>; readonly states: unknown[] }

/**
 * Goes on from saved entries, which must not change while the engine lives: a key's entry is read when its first record comes.
 * A feature that an entry lacks starts empty; features it has beside the definition's are left out.
 */
export function engine(definition: Definition, from: ReadonlyMap<string, Uint8Array> = new Map()): Engine {
  const lanes = definition.features.map(({ name, spec }): Lane => ({ name, of: spec.of, operator: operatorOf(spec), states: [] }))
  const slots = new Map<string, number>()
  const keys: string[] = []
  const changed: boolean[] = []
  let changedSlots: number[] = []

  const slotOf = (key: string): number => slots.get(key) ?? open(key)

  const open = (key: string): number => {
    const slot = keys.length
    const entry = from.get(key)
    const saved = entry && unpackState(entry)
    for (const { name, operator, states } of lanes) {
      const state = saved?.get(name)
      states.push(state ? operator.load(state) : operator.init())
    }
    slots.set(key, slot)
    keys.push(key)
    changed.push(false)
    return slot
  }

  const touch = (slot: number): void => {
    if (changed[slot]) return
    changed[slot] = true
    changedSlots.push(slot)
  }

  const pack = (slot: number) => packState(lanes.map(({ name, operator, states }) => [name, operator.save(states[slot])]))

  const pushKeyed = (inputs: Inputs, rowKeys: readonly string[]): Float64Array[] => {
    const rowSlots = new Int32Array(inputs.count)
    for (let row = 0; row < inputs.count; row++) {
      const slot = row > 0 && rowKeys[row] === rowKeys[row - 1] ? rowSlots[row - 1]! : slotOf(rowKeys[row]!)
      rowSlots[row] = slot
      touch(slot)
    }
    return lanes.map(({ of, operator, states }) => {
      const input = inputOf(inputs, of)
      const out = new Float64Array(inputs.count)
      for (let row = 0; row < inputs.count; ) {
        const slot = rowSlots[row]!
        const first = row
        while (row < inputs.count && rowSlots[row] === slot) row++
        operator.run(states[slot], input, inputs.days, out, first, row)
      }
      return out
    })
  }

  const pushKeyless = (inputs: Inputs): Float64Array[] => {
    if (inputs.count === 0) return lanes.map(() => new Float64Array(0))
    const slot = slotOf('')
    touch(slot)
    return lanes.map(({ of, operator, states }) => {
      const out = new Float64Array(inputs.count)
      operator.run(states[slot], inputOf(inputs, of), inputs.days, out, 0, inputs.count)
      return out
    })
  }

  return {
    push(inputs) {
      if (definition.per === null) return pushKeyless(inputs)
      if (!inputs.keys) throw new TypeError(`${definition.set} is per ${definition.per}: its inputs need keys`)
      return pushKeyed(inputs, inputs.keys)
    },
    changes() {
      const entries = new Map(changedSlots.map((slot) => [keys[slot]!, pack(slot)]))
      for (const slot of changedSlots) changed[slot] = false
      changedSlots = []
      return entries
    },
    snapshot() {
      const untouched = new Map([...from].filter(([key]) => !slots.has(key)))
      const entries = inherit(untouched, lanes.map(({ name }) => name))
      keys.forEach((key, slot) => entries.set(key, pack(slot)))
      return entries
    },
  }
}

function inputOf({ numbers }: Inputs, field: string): Float64Array {
  const input = numbers.get(field)
  if (!input) throw new TypeError(`the inputs have no ${field}`)
  return input
}

/** First byte of an entry: how the rest is laid out. */
const byName = 1

/** An entry: each feature's saved state under its name, so that another version can pick out the features it shares. */
export const packState = (states: Iterable<readonly [name: string, state: Uint8Array]>): Uint8Array => written((to) => {
  putCount(to, byName)
  for (const [name, state] of states) {
    putText(to, name)
    putBytes(to, state)
  }
})

/** The states are views into the entry. */
export function unpackState(entry: Uint8Array): Map<string, Uint8Array> {
  const from = readerOf(entry)
  const layout = takeCount(from)
  if (layout !== byName) throw new TypeError(`an entry of state has the unknown layout ${layout}`)
  const states = new Map<string, Uint8Array>()
  while (from.at < entry.length) states.set(takeText(from), takeBytes(from))
  return states
}

/** The entries with only the named features; an entry that has none of them is left out. */
export function inherit(entries: ReadonlyMap<string, Uint8Array>, names: readonly string[]): Map<string, Uint8Array> {
  const inherited = new Map<string, Uint8Array>()
  for (const [key, entry] of entries) {
    const kept = [...unpackState(entry)].filter(([name]) => names.includes(name))
    if (kept.length > 0) inherited.set(key, packState(kept))
  }
  return inherited
}
