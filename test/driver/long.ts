/**
 * What takes long: the shop of the example with 100,000 invoices beside PostgreSQL, change data capture of PostgreSQL and MariaDB, hundreds
 * of lives with real processes, as many in memory, and the tests that try more of what chance picks when they may take longer.
 * npm run test:long -- [--seed N] [--count M] [--invoices I].
 */
import { parseArgs } from 'node:util'
import { startVitest } from 'vitest/node'

const options = {
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  count: { type: 'string', default: '300' },
  invoices: { type: 'string', default: '100000' },
} as const
const {
  values: { seed, count, invoices },
} = parseArgs({ options })
console.log(`a shop of ${invoices} invoices; ${count} lives, every third on Kafka; from --seed ${seed} on`)
Object.assign(process.env, { TIDEMARK_SEED: seed, TIDEMARK_LIVES: count, TIDEMARK_INVOICES: invoices, TIDEMARK_LONG: 'true' })
const lives = [
  'test/cdc/mariadb-story.ts',
  'test/cdc/story.test.ts',
  'test/driver/processes.ts',
  'test/driver.test.ts',
  'test/kafka/kill.test.ts',
  'test/kafka/partitions.test.ts',
  'test/kill.test.ts',
  'test/operators.test.ts',
  'test/versions-kill.test.ts',
]
const include = [...(invoices === '0' ? [] : ['test/invoices-postgres.test.ts']), ...(count === '0' ? [] : lives)]
// Not one of the kinds of tests that the config file knows.
const limits = { maxWorkers: 2, testTimeout: 600_000, hookTimeout: 600_000 }
const vitest = await startVitest([], { config: false, include, watch: false, disableConsoleIntercept: true, pool: 'forks', ...limits })
await vitest.close()
