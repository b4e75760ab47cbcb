/** Tests that need a program which a machine may not have: there they are skipped, with the reason; in CI that is a failure. */
import { expect, it } from 'vitest'

/** `missing` says what is not there; undefined when nothing is. */
export function unlessMissing(missing: string | undefined, tests: () => void): void {
  if (missing === undefined) return tests()
  if (process.env['CI'] === 'true') it(`needs what is missing here`, () => expect.unreachable(`${missing}, so this is not tested`))
  else it.skip(`(not here: ${missing})`, () => {})
}
