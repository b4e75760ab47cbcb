/**
 * The states of a version's features by key. Each key has a slot, in the order in which keys were first met, and its entry is read then: a
 * million keys cost nothing at the start. Until then nobody else may change it. A feature that an entry lacks starts empty; features that
 * it has beside the version's are left out.
 */
import type { Lookup } from '../utilities/checkpoints.ts'
import { packed, pickStates, unpackState } from './entries.ts'
import { putSized, putText, written, type Writer } from './state-bytes.ts'

type Kept = { init(): unknown; put(to: Writer, state: unknown): void; load(saved: Uint8Array): unknown }
type WithStates = { readonly name: string; readonly computation: Kept; /** By slot. */ readonly states: unknown[] }

export interface Slots {
  slotOf(key: string): number
  /** undefined for a key that was not met yet. */
  met(key: string): number | undefined
  keyOf(slot: number): string
  /** Its state is about to change. */
  touch(slot: number): void
  /** The entries that changed since the last call, or since the start. Without `per` the one key is ''. */
  changes(): Map<string, Uint8Array>
  /** The keys whose state changed since the last call of this or of `changes`. */
  changedKeys(): readonly string[]
  /** What the entry of a key holds now: each feature's saved state under its name. */
  statesOf(key: string): readonly (readonly [feature: string, state: Uint8Array])[]
}

export function slotsOf(features: readonly WithStates[], from: Lookup): Slots {
  const slots = new Map<string, number>()
  const keys: string[] = []
  const changed: boolean[] = []
  let changedSlots: number[] = []

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

  return {
    slotOf: (key) => slots.get(key) ?? open(key),
    met: (key) => slots.get(key),
    keyOf: (slot) => keys[slot]!,
    touch(slot) {
      if (changed[slot]) return
      changed[slot] = true
      changedSlots.push(slot)
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
  }
}
