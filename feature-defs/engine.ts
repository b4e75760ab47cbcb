/** The engine: pushes batches of records through a version's operators; batch, stream and replay are all this one call. */
import type { Computation } from './define-operator.ts'
import { dropBeyond, featureColumn, nulls, outputOf, type FeatureColumn, type FeatureType } from './feature-columns.ts'
import type { Definition, NamedFeature } from './feature-set.ts'
import type { Inputs } from './inputs.ts'
import { featureType } from './known-operators.ts'
import { keyWords } from './keys.ts'
import { runOf, type Run } from './run.ts'
import type { Lookup } from '../utilities/checkpoints.ts'
import { putBytes, putCount, putSized, putText, readerOf, takeBytes, takeCount, takeText, written, type Writer } from './state-bytes.ts'

export interface Engine {
  /** One column of values per feature, in the definition's order. */
  push(inputs: Inputs): readonly FeatureColumn[]
  /** The entries of state that changed since the last call, or since the engine was made: key → bytes. Without `per` the one key is ''. */
  changes(): Map<string, Uint8Array>
  /** The keys whose state changed since the last call of this or of `changes`. */
  changedKeys(): readonly string[]
  /** What the entry of a key holds now: each feature's saved state under its name. */
  statesOf(key: string): readonly (readonly [feature: string, state: Uint8Array])[]
  /** How many values were too large for the type of their feature, and are null, since the last call. */
  beyond(): number
}

/** A feature at work, with one state per slot: the place of a key, in the order keys were first met. */
type FeatureAtWork = NamedFeature & {
  readonly type: FeatureType
  readonly computation: Computation<unknown>
  readonly batch: (inputs: Inputs) => Run
  readonly states: unknown[]
}

/**
 * Goes on from saved entries: a key's entry is read when its first record comes, so that a million keys cost nothing at the start.
 * Until then nobody else may change it. A feature that an entry lacks starts empty; features it has beside the definition's are left out.
 */
export function engine(definition: Definition, from: Lookup = new Map()): Engine {
  const features = definition.features.map((feature): FeatureAtWork => ({
    ...feature,
    type: featureType(definition.record, feature),
    ...runOf(feature.spec, definition.record),
    states: [],
  }))
  const slots = new Map<string, number>()
  const keys: string[] = []
  const changed: boolean[] = []
  let changedSlots: number[] = []
  let beyond = 0

  const slotOf = (key: string): number => slots.get(key) ?? open(key)

  const open = (key: string): number => {
    const slot = keys.length
    const entry = from.get(key)
    const saved = entry && unpackState(entry)
    for (const { name, computation, states } of features) {
      const state = saved?.get(name)
      states.push(state ? computation.load(state) : computation.init())
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

  const statesIn = (slot: number) =>
    features.map(({ name, computation, states }) => [name, written((to) => computation.put(to, states[slot]))] as const)

  const entryOf = (slot: number) =>
    packed(features, (to, { name, computation, states }) => {
      putText(to, name)
      putSized(to, (own) => computation.put(own, states[slot]))
    })

  const takeChanged = (): readonly number[] => {
    const slots = changedSlots
    for (const slot of slots) changed[slot] = false
    changedSlots = []
    return slots
  }

  const pushKeyed = (inputs: Inputs, rowKeys: readonly string[]): FeatureColumn[] => {
    const rowSlots = new Int32Array(inputs.count)
    for (let row = 0; row < inputs.count; row++) {
      const slot = row > 0 && rowKeys[row] === rowKeys[row - 1] ? rowSlots[row - 1]! : slotOf(rowKeys[row]!)
      rowSlots[row] = slot
      touch(slot)
    }
    return features.map(({ type, batch, states }) => {
      const run = batch(inputs)
      const out = outputOf(type, inputs.count)
      for (let row = 0; row < inputs.count;) {
        const slot = rowSlots[row]!
        const first = row
        while (row < inputs.count && rowSlots[row] === slot) row++
        run(states[slot], out, first, row)
      }
      beyond += dropBeyond(type, out)
      return featureColumn(type, out)
    })
  }

  const pushKeyless = (inputs: Inputs): FeatureColumn[] => {
    if (inputs.count === 0) return features.map(({ type }) => nulls(type, 0))
    const slot = slotOf('')
    touch(slot)
    return features.map(({ type, batch, states }) => {
      const out = outputOf(type, inputs.count)
      batch(inputs)(states[slot], out, 0, inputs.count)
      beyond += dropBeyond(type, out)
      return featureColumn(type, out)
    })
  }

  return {
    push(inputs) {
      if (definition.per === null) return pushKeyless(inputs)
      if (!inputs.keys) throw new TypeError(`${definition.set} is per ${keyWords(definition.per)}: its inputs need keys`)
      return pushKeyed(inputs, inputs.keys)
    },
    changes() {
      const entries = new Map<string, Uint8Array>()
      for (const slot of takeChanged()) entries.set(keys[slot]!, entryOf(slot))
      return entries
    },
    changedKeys: () => takeChanged().map((slot) => keys[slot]!),
    statesOf(key) {
      const slot = slots.get(key)
      if (slot !== undefined) return statesIn(slot)
      const entry = from.get(key)
      return entry
        ? pickStates(
            entry,
            features.map(({ name }) => name),
          )
        : []
    },
    beyond() {
      const since = beyond
      beyond = 0
      return since
    },
  }
}

/** First byte of an entry: how the rest is laid out. */
const byName = 1

/** An entry: each feature's saved state under its name, so that another version can pick out the features it shares. */
export const packState = (states: Iterable<readonly [name: string, state: Uint8Array]>): Uint8Array =>
  packed(states, (to, [name, state]) => {
    putText(to, name)
    putBytes(to, state)
  })

const packed = <State>(states: Iterable<State>, put: (to: Writer, state: State) => void): Uint8Array =>
  written((to) => {
    putCount(to, byName)
    for (const state of states) put(to, state)
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

/** What an entry holds of the named features. */
export const pickStates = (entry: Uint8Array, names: readonly string[]): readonly (readonly [feature: string, state: Uint8Array])[] =>
  [...unpackState(entry)].filter(([name]) => names.includes(name))
