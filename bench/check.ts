/** `npm run bench:check`: fails when a fast path of the engine, the codecs or the readers has fallen back towards its plain twin. */
import { Problem } from '../utilities/values/problem.ts'
import { pairsOver } from './check-pairs.ts'
import { fellBehind, ratiosOf, spoiled, processorTime, type Ratio } from './check-ratios.ts'
import { dataOf } from './data.ts'
import { text, wordsOf } from './options.ts'
import { median, spread, table } from './report.ts'

const rows = 10_000
const rounds = 11

/** --spoil puts a twin in the place of the fast path whose name holds the word, to see this check fail. */
async function main(): Promise<void> {
  const { spoil } = wordsOf({ spoil: text })
  const { file } = await dataOf(rows)
  const all: Ratio[] = []
  for (const pair of await pairsOver(file)) {
    pair.agree()
    all.push(await ratiosOf(spoil !== undefined && pair.name.includes(spoil) ? spoiled(pair) : pair, { rounds, meter: processorTime }))
  }
  const lines = all.map(({ name, ratios, atLeast }) => [name.replace('|', 'against'), spread(ratios), String(atLeast)])
  process.stdout.write(`${table(['fast path against plain twin', 'times as fast', 'at least'], lines)}\n`)
  const behind = fellBehind(all)
  if (behind.length === 0) return
  const named = behind.map(
    ({ name, ratios, atLeast }) => `${name.split(' | ')[0]} (${median(ratios).toFixed(2)} times its plain twin, not ${atLeast})`,
  )
  throw new Problem(`fallen behind: ${named.join('; ')}`, 'See what changed in that path; npm run bench measures it alone.')
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`bench:check: ${error.what}. ${error.todo}\n`)
  process.exitCode = error.exitCode
}
