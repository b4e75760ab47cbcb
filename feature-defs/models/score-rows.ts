/** What models add to rows that are made: a column each, of features and fields of the same row. */
import type { Models } from '../../utilities/models.ts'
import type { Columns } from '../../utilities/values/columns.ts'
import type { FeatureColumn } from '../feature-columns.ts'
import type { Definition } from '../feature-set.ts'
import { doubles, type FieldColumn } from '../takes.ts'
import { isModel, type ModelSpec } from './model.ts'
import { scoresOf, type Scores } from './scores.ts'

export type ScoreRows = {
  /** Adds the models' columns to those of the other features. */
  add(rows: Columns, values: Map<string, FeatureColumn>): Promise<void>
  /** For how many rows each model gave no number, which are null, since the last call. */
  noNumbers(): ReadonlyMap<string, number>
}

const modelsIn = ({ features }: Definition) => features.filter(({ spec }) => isModel(spec))

export const hasModels = (definition: Definition): boolean => modelsIn(definition).length > 0

/** The same version without its models: what has states. */
export const withoutModels = (definition: Definition): Definition =>
  hasModels(definition) ? { ...definition, features: definition.features.filter(({ spec }) => !isModel(spec)) } : definition

/** Opens every model: a Problem names the first one that cannot compute its feature. */
export const openModels = (definition: Definition, models: Models | undefined): Promise<readonly Scores[]> => {
  if (!models && hasModels(definition)) throw new TypeError(`${definition.set} has models, and nothing opens them`)
  return Promise.all(modelsIn(definition).map((feature) => scoresOf(models!, definition, feature)))
}

export function scoreRows(definition: Definition, models: Models | undefined): ScoreRows {
  const features = modelsIn(definition)
  let opened: Promise<readonly Scores[]> | undefined
  let none = new Map<string, number>()
  return {
    async add(rows, values) {
      const scores = await (opened ??= openModels(definition, models))
      // One after the other: a model may read what one before it gave.
      for (const [i, { name, spec }] of features.entries()) {
        const inputs = (spec as ModelSpec).inputs.map((input) => doubles((values.get(input) ?? rows.byName.get(input)) as FieldColumn))
        const column = await scores[i]!(inputs, rows.count)
        values.set(name, { kind: 'number', values: column })
        const count = column.reduce((sum, value) => (value === value ? sum : sum + 1), 0)
        if (count > 0) none.set(name, (none.get(name) ?? 0) + count)
      }
    },
    noNumbers() {
      const since = none
      none = new Map()
      return since
    },
  }
}
