/** Tests that need a program which a machine may not have: there they are skipped, with the reason; in CI that is a failure. */
import { expect, it } from 'vitest'

/** `missing` says what is not there; undefined when nothing is. */
export function unlessMissing(missing: string | undefined, tests: () => void): void {
  if (missing === undefined) return tests()
  if (process.env['CI'] === 'true') it(`needs what is missing here`, () => expect.unreachable(`${missing}, so this is not tested`))
  else it.skip(`(not here: ${missing})`, () => {})
}

/** The same as a condition, for describe.skipIf: with CI set, what is missing fails the run. */
export function skipWithout(missing: string | undefined): boolean {
  if (missing === undefined) return false
  if (process.env['CI']) throw new Error(`these tests cannot run: ${missing}`)
  console.warn(`skipped, for want of what is not here: ${missing}`)
  return true
}
