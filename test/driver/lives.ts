/** Whole lives from seeds: chosen step by step, played, and, when one goes wrong, made as short as it can be and told. */
import { randomFrom } from '../seeded.ts'
import { nextStep } from './choose.ts'
import { knownFaults } from './known-faults.ts'
import { end, newLife, play } from './life.ts'
import { madeLoans, whole } from './loans.ts'
import { newModel, type Model } from './model.ts'
import { madeSet, type DrivenSet } from './sets.ts'
import { inWords, type Step } from './step.ts'
import { Wrong, type DrivenStore } from './store.ts'

export type Opened = (set: DrivenSet, partitions: number, text: string) => DrivenStore | Promise<DrivenStore>

/** Everything about a life but its steps. */
function begun(seed: number) {
  const random = randomFrom(seed)
  const keyed = random() < 0.4
  const set = madeSet(random, keyed)
  const { text, loans } = madeLoans(random)
  return { random, set, partitions: keyed ? 2 : 1, text, loans }
}

type Told = { readonly seed: number; readonly steps: readonly Step[]; readonly wrong: string }

/** Lives a life; undefined when all of it was as it should be. `given` are the steps of an earlier one, or some of them. */
async function live(seed: number, open: Opened, given?: readonly Step[]): Promise<Told | undefined> {
  const { random, set, partitions, text, loans } = begun(seed)
  const store = await open(set, partitions, text)
  const life = newLife(newModel(set, partitions, loans), store)
  const steps: Step[] = []
  try {
    const count = given?.length ?? whole(random, 8, 24)
    for (let i = 0; i < count; i++) {
      const step = given ? given[i]! : avoiding(() => nextStep(random, life.model), life.model)
      // What was left out before it may have made it one.
      if (isKnown(step, life.model)) continue
      steps.push(step)
      await play(life, step)
    }
    await end(life)
    return undefined
  } catch (error) {
    if (!(error instanceof Wrong)) throw error
    return { seed, steps, wrong: error.message }
  } finally {
    await store.close()
  }
}

/** Another step as long as it is one that is known to go wrong. */
function avoiding(next: () => Step, model: Model): Step {
  for (let attempt = 0; attempt < 50; attempt++) {
    const step = next()
    if (!isKnown(step, model)) return step
  }
  return { command: { do: 'diff', from: 0, to: 0 } }
}

const isKnown = (step: Step, model: Model) => knownFaults.some(({ meets }) => meets(step, model))

const wholly = ({ cut: _, ...step }: Extract<Step, { cut?: unknown }>): Step => step

/** Leaves out steps, and cuts, as long as something still goes wrong. */
async function shortest(told: Told, open: Opened, tries: number): Promise<Told> {
  const { steps } = told
  const shorter = steps.flatMap((step, i) => [steps.toSpliced(i, 1), ...('cut' in step ? [steps.with(i, wholly(step))] : [])])
  for (const fewer of shorter.toReversed()) {
    if (tries-- <= 0) return told
    const wrong = await live(told.seed, open, fewer)
    if (wrong) return shortest(wrong, open, tries)
  }
  return told
}

/** Undefined, or the life told: how it was, how it can be had again, and what went wrong. */
export async function lifeOf(seed: number, open: Opened, { tries = 100 } = {}): Promise<string | undefined> {
  const told = await live(seed, open)
  if (!told) return undefined
  const short = await shortest(told, open, tries)
  const { set, partitions } = begun(seed)
  const lines = (steps: readonly Step[]) => steps.map((step, i) => `  ${i + 1}. ${inWords(step)}`).join('\n')
  const head = `seed ${seed}, partitions: ${partitions}, ${told.steps.length} steps; the shortest that goes wrong:`
  return `${head}\n${lines(short.steps)}\n  ${short.wrong}\n\n` + `${set.text}\nAll of it:\n${lines(told.steps)}\n  ${told.wrong}\n`
}
