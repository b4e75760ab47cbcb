/** The numbers that a model gives, a block of rows at a time: each row by itself, whatever comes with it. */
import { Problem } from '../../utilities/values/problem.ts'
import type { Model, Models } from '../../utilities/models.ts'
import { roundDecimal } from '../decimal.ts'
import type { Definition, NamedFeature } from '../feature-set.ts'
import { label } from '../feature-set.ts'
import { blockRows, feedingOf, pickingOf, type Feeding, type Picking } from './fit.ts'
import { isModel, isSealed, type ModelSpec } from './model.ts'

/** One column for each input, NaN for null; NaN where the model gives no number, or an infinite one. */
export type Scores = (inputs: readonly Float64Array[], count: number) => Promise<Float64Array>

/** A Problem that names the feature when the model is not to be had, or does not fit. */
export async function scoresOf(models: Models, definition: Definition, { name, spec, path }: NamedFeature): Promise<Scores> {
  if (!isModel(spec) || !isSealed(spec)) throw new TypeError(`${label(definition)}: nothing says which file the model ${name} is`)
  const { of, sha256, runtime, round } = spec
  const model = await models.open({ name: of, sha256, runtime, ...(path !== undefined && { path }) })
  const { feeding, picking } = await fitting(spec, model, (what, todo) => {
    throw new Problem(`${label(definition)}: feature ${name}: ${what}`, todo)
  })
  return async (inputs, count) => {
    const out = new Float64Array(count)
    for (let from = 0; from < count; from += blockRows) {
      const rows = Math.min(blockRows, count - from)
      fill(feeding, inputs, from, rows)
      const { values } = await model.run(feeding.feeds, spec.output)
      for (let row = 0, at = picking.first; row < rows; row++, at += picking.step) {
        const value = Number(values[at])
        out[from + row] = value - value !== 0 ? NaN : round === undefined ? value + 0 : roundDecimal(value, round)
      }
    }
    return out
  }
}

/** Rows behind the last one are zeros. */
function fill({ places }: Feeding, inputs: readonly Float64Array[], from: number, rows: number): void {
  for (const [i, { values, first, step }] of places.entries()) {
    const column = inputs[i]!
    for (let row = 0, at = first; row < blockRows; row++, at += step) values[at] = row < rows ? column[from + row]! : 0
  }
}

async function fitting(
  spec: ModelSpec,
  model: Model,
  refuse: (what: string, todo: string) => never,
): Promise<{ readonly feeding: Feeding; readonly picking: Picking }> {
  const feeding = feedingOf(spec, model, refuse)
  return { feeding, picking: await pickingOf(spec, model, feeding, refuse) }
}
