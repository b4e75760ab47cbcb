/** Test runs: first what runs in memory, then the whole; every file in a process of its own. */
import { defineConfig } from 'vitest/config'
import { kindsOf } from './test/house/kinds.ts'
import { closingLine, progress } from './test/house/progress.ts'
import { sourcesIn } from './test/house/sources.ts'

const { unit, whole } = kindsOf(sourcesIn())

export default defineConfig({
  test: {
    pool: 'forks',
    // Much of the time is waiting for processes and brokers.
    maxWorkers: 3,
    // A broker of a minute spends a third of its time on compiling what it has no time to gain by.
    env: { KAFKA_JVM: '-XX:TieredStopAtLevel=1' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', progress(console.log), closingLine],
    projects: [
      { extends: true, test: { name: 'unit', include: [...unit], setupFiles: ['test/house/in-memory.ts'], sequence: { groupOrder: 0 } } },
      { extends: true, test: { name: 'whole', include: [...whole], globalSetup: 'test/house/program.ts', sequence: { groupOrder: 1 } } },
    ],
  },
})
