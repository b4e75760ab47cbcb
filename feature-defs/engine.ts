/** The engine: pushes batches of records through a version's operators; batch, stream and replay are all this one call. */
import type { Lookup } from '../utilities/checkpoints.ts'
import type { Computation } from './define-operator.ts'
import { dropBeyond, featureColumn, nulls, outputOf, type FeatureColumn, type FeatureType } from './feature-columns.ts'
import type { Definition, NamedFeature } from './feature-set.ts'
import type { Inputs } from './inputs.ts'
import { keyWords } from './keys.ts'
import { featureType } from './known-operators.ts'
import { runOf, type Run } from './run.ts'
import { slotsOf, type Slots } from './slots.ts'

export type Engine = Pick<Slots, 'changes' | 'changedKeys' | 'statesOf'> & {
  /** One column of values per feature, in the definition's order. */
  push(inputs: Inputs): readonly FeatureColumn[]
  /** How many values were too large for the type of their feature, and are null, since the last call. */
  beyond(): number
}

/** A feature at work, with one state per slot. */
type FeatureAtWork = NamedFeature & {
  readonly type: FeatureType
  readonly computation: Computation<unknown>
  readonly batch: (inputs: Inputs) => Run
  readonly states: unknown[]
}

/** Goes on from saved entries. */
export function engine(definition: Definition, from: Lookup = new Map()): Engine {
  const features = definition.features.map((feature): FeatureAtWork => ({
    ...feature,
    type: featureType(definition.record, feature),
    ...runOf(feature.spec, definition.record),
    states: [],
  }))
  const { slotOf, touch, changes, changedKeys, statesOf } = slotsOf(features, from)
  let beyond = 0

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
    changes,
    changedKeys,
    statesOf,
    beyond() {
      const since = beyond
      beyond = 0
      return since
    },
  }
}
