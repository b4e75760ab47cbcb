/** What makes a version's rows: the engine over records, or the one over facts. */
import { isFact } from '../schemas/fact.ts'
import { engine } from './engine.ts'
import { factEngine } from './facts/engine.ts'
import type { Definition } from './feature-set.ts'
import { inputsOf } from './inputs.ts'
import type { Maker, Past } from './made.ts'

export function makerOf(definition: Definition, past: Past = {}): Maker {
  if (isFact(definition.record)) return factEngine(definition, past)
  const { push, ...rest } = engine(definition, past.from)
  return {
    ...rest,
    push: async (records) => ({ records, values: push(inputsOf(definition, records)) }),
    dueChanges: () => [],
    tick: () => null,
  }
}
