/** What makes a version's rows: the engine over records, or the one over facts. */
import { isFact } from '../schemas/fact.ts'
import { engine } from './engine.ts'
import { factEngine } from './facts/engine.ts'
import type { Definition } from './feature-set.ts'
import { inputsOf } from './inputs.ts'
import type { Maker, Past } from './made.ts'
import { hasModels, scoreRows, withoutModels } from './models/score-rows.ts'

export function makerOf(definition: Definition, past: Past = {}): Maker {
  const stated = withoutModels(definition)
  const maker = isFact(definition.record) ? factEngine(stated, past) : recordMaker(stated, past)
  if (!hasModels(definition)) return maker
  const models = scoreRows(definition, past.models)
  return {
    ...maker,
    async push(records) {
      const made = await maker.push(records)
      const values = new Map(stated.features.map(({ name }, i) => [name, made.values[i]!]))
      await models.add(made.records, values)
      return { records: made.records, values: definition.features.map(({ name }) => values.get(name)!) }
    },
    noNumbers: models.noNumbers,
  }
}

function recordMaker(definition: Definition, { from }: Past): Maker {
  const { push, ...rest } = engine(definition, from)
  return {
    ...rest,
    push: async (records) => ({ records, values: push(inputsOf(definition, records)) }),
    noNumbers: () => none,
    dueChanges: () => [],
    tick: () => null,
  }
}

const none: ReadonlyMap<string, number> = new Map()
