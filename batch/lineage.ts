/** A version's engine with a past: each feature starts empty where its state once did, so that replaying history gives the same bits again. */
import { engine, packState, unpackState, type Engine } from '../feature-defs/engine.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { inputsOf } from '../feature-defs/inputs.ts'
import { columnOf, pick, rowsWhere, type Columns } from '../utilities/columns.ts'

export type Lineage = {
  /** Values per feature in the definition's order; null before a feature's origin. */
  push(records: Columns): readonly Float64Array[]
  snapshot(): Map<string, Uint8Array>
  /** The entries that changed since the last call; complete entries, whichever feature changed. */
  changes(): Map<string, Uint8Array>
}

/** `origins` says for each feature after which _seq it started empty; features without one are left out. */
export function lineage(definition: Definition, origins: { readonly [feature: string]: number }, from?: ReadonlyMap<string, Uint8Array>): Lineage {
  const featured = definition.features.filter(({ name }) => name in origins)
  const groups = [...Map.groupBy(featured, ({ name }) => origins[name]!)].map(([origin, features]) => {
    const part = { ...definition, features }
    return { origin, part, engine: engine(part, from) }
  })

  return {
    push(records) {
      const seq = columnOf(records, '_seq', 'int').values
      const values = new Map<string, Float64Array>()
      for (const { origin, part, engine } of groups) {
        const outputs = pushBehind(origin, part, engine, records, seq)
        part.features.forEach(({ name }, i) => values.set(name, outputs[i]!))
      }
      return definition.features.map(({ name }) => values.get(name) ?? new Float64Array(seq.length).fill(NaN))
    },
    snapshot: () => mergeStates(groups.map(({ engine }) => engine.snapshot())),
    // Every group takes every record from its origin on, so that behind the last origin they change the same keys.
    changes: () => (groups.length === 1 ? groups[0]!.engine.changes() : mergeStates(groups.map(({ engine }) => engine.snapshot()))),
  }
}

function pushBehind(origin: number, part: Definition, engine: Engine, records: Columns, seq: Float64Array): readonly Float64Array[] {
  if (seq.length === 0 || seq[0]! > origin) return engine.push(inputsOf(part, records))
  const rows = rowsWhere(seq, (one) => one > origin)
  const outputs = engine.push(inputsOf(part, pick(records, rows)))
  return outputs.map((values) => {
    const spread = new Float64Array(seq.length).fill(NaN)
    rows.forEach((row, i) => (spread[row] = values[i]!))
    return spread
  })
}

/** The features of every state together, key by key. */
export function mergeStates(states: readonly ReadonlyMap<string, Uint8Array>[]): Map<string, Uint8Array> {
  if (states.length === 1) return new Map(states[0])
  const keys = new Set(states.flatMap((state) => [...state.keys()]))
  return new Map([...keys].map((key) => [key, packState(new Map(states.flatMap((state) => [...(state.has(key) ? unpackState(state.get(key)!) : [])])))]))
}
