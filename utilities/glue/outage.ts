/** Answers from what is known while Glue is out of reach: says so once, asks again now and then, and says once when it is over. */
import { OutOfReach } from '../values/problem.ts'

/** The way to ask, and what was answered before, if anything was. */
export type Reading = <T>(ask: () => Promise<T>, known: () => T | undefined) => Promise<T>

/** After a failure nobody waits for Glue again for `restMs`. */
export function outageGuard(note: (text: string) => void, restMs: number, nowMs: () => number): Reading {
  let out = false
  let restUntil = -Infinity
  return async (ask, known) => {
    const before = nowMs() < restUntil ? known() : undefined
    if (before !== undefined) return before
    try {
      const answer = await ask()
      if (out) note('Glue answers again')
      out = false
      restUntil = -Infinity
      return answer
    } catch (error) {
      if (!(error instanceof OutOfReach)) throw error
      const before = known()
      if (before === undefined) throw error
      if (!out) note(`${error.what}: going on with what it said before`)
      out = true
      restUntil = nowMs() + restMs
      return before
    }
  }
}
