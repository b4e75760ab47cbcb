/** The whole project type checks, and every mistake in definitions.test-d.ts is one that the compiler sees. */
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

it('compiles, and refuses wrong definitions', () => {
  const output = (() => {
    try {
      return execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit'], { encoding: 'utf8' })
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  })()
  expect(output).toBe('')
})
