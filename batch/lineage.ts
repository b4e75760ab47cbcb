/**
 * A version's engine with a past: each feature starts empty where its state once did, so that replaying history gives the same bits again.
 */
import { packState } from '../feature-defs/entries.ts'
import type { DueChange } from '../feature-defs/facts/dues.ts'
import { nulls, scattered, type FeatureColumn } from '../feature-defs/feature-columns.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { featureType } from '../feature-defs/known-operators.ts'
import type { Made, Maker, Past } from '../feature-defs/made.ts'
import { makerOf } from '../feature-defs/maker.ts'
import { hasModels, scoreRows, withoutModels } from '../feature-defs/models/score-rows.ts'
import { isFact } from '../schemas/fact.ts'
import { columnOf, pick, rowsWhere, type Columns } from '../utilities/values/columns.ts'

export type Lineage = {
  /** Values per feature in the definition's order; null before a feature's origin. */
  push(records: Columns): Promise<Made>
  /** The keys whose state changed since the last call. */
  changedKeys(): readonly string[]
  /** The states that a key has now, feature by feature. */
  statesOf(key: string): readonly (readonly [feature: string, state: Uint8Array])[]
  /** What changed since the last call of when keys are due, and the last tick: of facts. */
  dueChanges(): readonly DueChange[]
  tick(): number | null
}

type Group = { readonly origin: number; readonly part: Definition; readonly maker: Maker }

/** `origins` says for each feature after which _seq it started empty; features without one are left out. Goes on from what is saved. */
export function lineage(definition: Definition, origins: { readonly [feature: string]: number }, past: Past = {}): Lineage {
  const isOf = ({ name }: { readonly name: string }) => name in origins
  const wanted = { ...definition, features: definition.features.filter(isOf) }
  const stated = withoutModels(wanted).features
  const parts = Map.groupBy(stated, ({ name }) => origins[name]!)
  // Models have no state, and begin with what they read; facts are made rows also where nothing else is computed.
  if (stated.length === 0 && hasModels(wanted)) parts.set(0, [])
  const groups = [...parts].map(([origin, features]): Group => {
    const part = { ...definition, features }
    return { origin, part, maker: makerOf(part, past) }
  })
  const models = scoreRows(wanted, past.models)
  // A feature of facts is of all that stand: none began later than another.
  if (isFact(definition.record) && groups.length > 1) throw new TypeError(`features of ${label(definition)} began at different records`)

  return {
    async push(records) {
      const values = new Map<string, FeatureColumn>()
      let rows: Columns = records
      for (const { origin, part, maker } of groups) {
        const made = await pushBehind(origin, maker, records)
        rows = made.records
        part.features.forEach(({ name }, i) => values.set(name, made.values[i]!))
      }
      await models.add(rows, values)
      const { record, features } = definition
      return {
        records: rows,
        values: features.map(({ name, spec }) => values.get(name) ?? nulls(featureType(record, { spec }), rows.count)),
      }
    },
    changedKeys: () =>
      groups.length === 1 ? groups[0]!.maker.changedKeys() : [...new Set(groups.flatMap(({ maker }) => maker.changedKeys()))],
    statesOf: (key) => groups.flatMap(({ maker }) => maker.statesOf(key)),
    dueChanges: () => groups.flatMap(({ maker }) => maker.dueChanges()),
    tick: () => groups[0]?.maker.tick() ?? null,
  }
}

/** A key's entry of state, as the checkpoint keeps it; null when there is nothing to keep. */
export const entryOf = (states: readonly (readonly [feature: string, state: Uint8Array])[]): Uint8Array | null =>
  states.length === 0 ? null : packState(states)

/** Of records that came before, rows with nulls; of changes of facts, none. */
async function pushBehind(origin: number, maker: Maker, records: Columns): Promise<Made> {
  const seq = columnOf(records, '_seq', 'int').values
  if (seq.length === 0 || seq[0]! > origin) return maker.push(records)
  const rows = rowsWhere(seq, (one) => one > origin)
  const made = await maker.push(pick(records, rows))
  if (made.records.byName.has('_change')) return made
  return { records, values: made.values.map((column) => scattered(column, rows, seq.length)) }
}
