/** Test runs: every file in a process of its own, and one plain closing line for whoever counts. */
import { defineConfig } from 'vitest/config'
import type { Reporter, TestModule } from 'vitest/node'

const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], errors) {
    const states = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result().state))
    const count = (state: string) => states.filter((one) => one === state).length
    // A file that does not even load has no test to fail.
    const broken = modules.filter((module) => module.state() === 'failed' && [...module.children.allTests()].every((test) => test.result().state !== 'failed')).length
    const skipped = count('skipped') + count('pending')
    process.on('exit', () => console.log(`${count('passed')} passed, ${count('failed') + broken + errors.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`))
  },
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Much of the time is waiting for processes and brokers.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', closingLine],
  },
})
