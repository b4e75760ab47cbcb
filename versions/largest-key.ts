/** How large a state has become that grows with what it sees: the entry of the key that takes most. */
import { computationOf, windowsGiven, operatorOf } from '../feature-defs/known-operators.ts'
import { isModel } from '../feature-defs/models/model.ts'
import { unitOf } from '../feature-defs/facts/standing.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { isFact } from '../schemas/fact.ts'
import { layersThere, stateEntries } from '../streams/state.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'

/** Without `per` the one key is ''. */
export type LargestKey = { readonly key: string; readonly bytes: number }

/** null where no feature's state grows but by days, or where there is none yet. */
export async function largestKey(checkpoints: Checkpoints, definition: Definition, partitions: number): Promise<LargestKey | null> {
  if (!grows(definition)) return null
  let largest: LargestKey | null = null
  for (let partition = 0; partition < partitions; partition++) {
    const at = { set: definition.set, partition }
    for (const layer of await layersThere(checkpoints, at)) {
      for await (const entries of stateEntries(checkpoints, at, layer)) {
        for (const [key, { length }] of entries) if (length > (largest?.bytes ?? 0)) largest = { key, bytes: length }
      }
    }
  }
  return largest
}

/** With different values or moments, or with the facts that stand. */
const grows = ({ record, features }: Definition): boolean =>
  features.some(({ spec }) => {
    if (isModel(spec)) return false
    const computation = computationOf(spec, record.fields[spec.of]!)
    const state = isFact(record) ? computation.standing!(unitOf(record)) : computation
    const bytes = (values: number) => state.mostBytes({ places: 0, values, bytes: 0 })
    return bytes(1) > bytes(0) || windowsGiven(operatorOf(spec), spec).includes('hours')
  })
