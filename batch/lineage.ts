/**
 * A version's engine with a past: each feature starts empty where its state once did, so that replaying history gives the same bits again.
 */
import { engine, type Engine } from '../feature-defs/engine.ts'
import { packState } from '../feature-defs/entries.ts'
import { nulls, scattered, type FeatureColumn } from '../feature-defs/feature-columns.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { inputsOf } from '../feature-defs/inputs.ts'
import { featureType } from '../feature-defs/known-operators.ts'
import type { Lookup } from '../utilities/checkpoints.ts'
import { columnOf, pick, rowsWhere, type Columns } from '../utilities/values/columns.ts'

export type Lineage = {
  /** Values per feature in the definition's order; null before a feature's origin. */
  push(records: Columns): readonly FeatureColumn[]
  /** The keys whose state changed since the last call. */
  changedKeys(): readonly string[]
  /** The states that a key has now, feature by feature. */
  statesOf(key: string): readonly (readonly [feature: string, state: Uint8Array])[]
}

/** `origins` says for each feature after which _seq it started empty; features without one are left out. Goes on from saved entries. */
export function lineage(definition: Definition, origins: { readonly [feature: string]: number }, from?: Lookup): Lineage {
  const featured = definition.features.filter(({ name }) => name in origins)
  const groups = [...Map.groupBy(featured, ({ name }) => origins[name]!)].map(([origin, features]) => {
    const part = { ...definition, features }
    return { origin, part, engine: engine(part, from) }
  })

  return {
    push(records) {
      const seq = columnOf(records, '_seq', 'int').values
      const values = new Map<string, FeatureColumn>()
      for (const { origin, part, engine } of groups) {
        const outputs = pushBehind(origin, part, engine, records, seq)
        part.features.forEach(({ name }, i) => values.set(name, outputs[i]!))
      }
      return definition.features.map(({ name, spec }) => values.get(name) ?? nulls(featureType(definition.record, { spec }), seq.length))
    },
    changedKeys: () =>
      groups.length === 1 ? groups[0]!.engine.changedKeys() : [...new Set(groups.flatMap(({ engine }) => engine.changedKeys()))],
    statesOf: (key) => groups.flatMap(({ engine }) => engine.statesOf(key)),
  }
}

/** A key's entry of state, as the checkpoint keeps it; null when there is nothing to keep. */
export const entryOf = (states: readonly (readonly [feature: string, state: Uint8Array])[]): Uint8Array | null =>
  states.length === 0 ? null : packState(states)

function pushBehind(origin: number, part: Definition, engine: Engine, records: Columns, seq: Float64Array): readonly FeatureColumn[] {
  if (seq.length === 0 || seq[0]! > origin) return engine.push(inputsOf(part, records))
  const rows = rowsWhere(seq, (one) => one > origin)
  return engine.push(inputsOf(part, pick(records, rows))).map((column) => scattered(column, rows, seq.length))
}
