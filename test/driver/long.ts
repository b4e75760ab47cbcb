/** Plays hundreds of lives with real processes: npm run test:long -- [--seed N] [--count M]. */
import { parseArgs } from 'node:util'
import { startVitest } from 'vitest/node'

const options = { seed: { type: 'string', default: String(Date.now() % 1_000_000) }, count: { type: 'string', default: '300' } } as const
const {
  values: { seed, count },
} = parseArgs({ options })
console.log(`${count} lives from --seed ${seed} on, every third on Kafka`)
Object.assign(process.env, { TIDEMARK_SEED: seed, TIDEMARK_LIVES: count })
// Not one of the kinds of tests that the config file knows.
const vitest = await startVitest([], { config: false, include: ['test/driver/processes.ts'], watch: false, disableConsoleIntercept: true })
await vitest.close()
