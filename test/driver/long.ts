/**
 * What takes long: the example's shop with 100,000 invoices beside PostgreSQL, and hundreds of lives with real processes. npm run test:long
 * -- [--seed N] [--count M] [--invoices I].
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
Object.assign(process.env, { TIDEMARK_SEED: seed, TIDEMARK_LIVES: count, TIDEMARK_INVOICES: invoices })
// Not one of the kinds of tests that the config file knows.
const include = [...(invoices === '0' ? [] : ['test/invoices-postgres.test.ts']), ...(count === '0' ? [] : ['test/driver/processes.ts'])]
const vitest = await startVitest([], { config: false, include, fileParallelism: false, watch: false, disableConsoleIntercept: true })
await vitest.close()
