/**
 * `npm run bench:shop`: the example's shop, whose facts are lines joined to three tables: first load, a change of every price, the same
 * beside Flink SQL on one broker, and memory with millions of rows. Every total of every account is checked before its time counts.
 */
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { missingForKafka } from '../test/kafka/broker.ts'
import { Problem } from '../utilities/values/problem.ts'
import { root } from './child.ts'
import { flag, text, usage, whole, wordsOf } from './options.ts'
import { javaVersion } from './peers/tools.ts'
import { machine, megabytes, spread, table, thousandRows, wholeNumber, writeSections } from './report.ts'
import { besideFlink, type ShopLane } from './shop-beside-flink.ts'
import { shopDataOf, type ShopData } from './shop-data.ts'
import { measureMemory, measureShop, type ShopRun } from './shop-embedded.ts'

const parts = ['embedded', 'flink', 'memory']
const usualInvoices = 100_000
/** With their lines, accounts and items some ten million rows. */
const manyInvoices = 2_500_000

const say = (said: string) => process.stderr.write(`${said}\n`)

async function main(): Promise<void> {
  const { invoices, runs = '3', only = 'embedded,flink', write = false } = wordsOf({ invoices: text, runs: text, only: text, write: flag })
  const chosen = only.split(',')
  const unknown = chosen.find((name) => !parts.includes(name))
  if (unknown !== undefined) throw usage(`there is no part ${unknown}`, `The parts are ${parts.join(', ')}.`)
  const many = whole('runs', runs, 3)
  const when = machine({
    Node: process.versions.node,
    SQLite: process.versions['sqlite'],
    Java: missingForKafka() === undefined ? await javaVersion() : undefined,
  })
  const sections = new Map<string, string>()
  const show = (name: string, title: string, body: string) => {
    process.stdout.write(`\n${title}\n\n${body}\n`)
    sections.set(name, `${title}. Measured ${when}; load ${loadavg()[0]!.toFixed(1)}.\n\n${body}\n`)
  }
  const asked = invoices === undefined ? undefined : whole('invoices', invoices, usualInvoices)
  const data = await shopDataOf(asked ?? usualInvoices)
  const shopText = `${wholeNumber(data.rows)} rows of four tables, ${wholeNumber(data.facts)} facts`

  if (chosen.includes('embedded')) {
    const runsDone: ShopRun[] = []
    for (let turn = 1; turn <= many; turn++) {
      const run = await measureShop(data)
      say(
        `embedded, run ${turn}: ${Object.entries(run)
          .map(([step, { seconds }]) => `${step} ${seconds.toFixed(1)} s`)
          .join(', ')}`,
      )
      runsDone.push(run)
    }
    show('shop', `A shop, embedded: ${shopText}; ${many === 1 ? 'one run' : `${many} runs`}`, embeddedText(data, runsDone))
  }
  if (chosen.includes('flink')) {
    const missing = missingForKafka()
    if (missing !== undefined) say(`flink is left out: ${missing}`)
    else show('shop-flink', `A shop on Kafka, exactly once: ${shopText}`, flinkText(data, await besideFlink(data, say)))
  }
  if (chosen.includes('memory')) {
    const large = await shopDataOf(asked ?? manyInvoices)
    const parts = Object.entries(await measureMemory(large))
    const rows = parts.map(([part, { peakBytes, seconds }]) => [part, megabytes([peakBytes]), spread([seconds])])
    show(
      'shop-memory',
      `Memory: ${wholeNumber(large.rows)} rows of four tables, ${wholeNumber(large.facts)} facts`,
      table(['', 'peak MB', 's'], rows),
    )
  }
  if (write) writeSections(join(root, 'docs/benchmarks.md'), sections)
}

const embeddedText = ({ facts, repriced }: ShopData, runs: readonly ShopRun[]): string => {
  const steps: readonly (readonly [name: string, facts: number, steps: readonly (keyof ShopRun)[]])[] = [
    ['first load: files → facts in inflow', facts, ['load']],
    ['facts → features → warehouse', facts, ['up']],
    ['both', facts, ['load', 'up']],
    ['every price another, while up runs: from the file to the warehouse', repriced, ['changes']],
  ]
  const sums = (of: readonly (keyof ShopRun)[], figure: 'seconds' | 'cpuSeconds') =>
    runs.map((run) => of.reduce((total, step) => total + run[step][figure], 0))
  return table(
    ['step', 'thousand facts/s', 's', 'processor s', 'peak MB'],
    steps.map(([name, many, of]) => [
      name,
      thousandRows(many, sums(of, 'seconds')),
      spread(sums(of, 'seconds')),
      spread(sums(of, 'cpuSeconds')),
      megabytes(runs.map((run) => Math.max(...of.map((step) => run[step].peakBytes)))),
    ]),
  )
}

const flinkText = ({ facts, repriced }: ShopData, lanes: readonly ShopLane[]): string => {
  const perCore = ({ first, changes }: ShopLane) => {
    const both = (facts + repriced) / (first.cpuSeconds + changes.cpuSeconds)
    return [facts / first.cpuSeconds, repriced / changes.cpuSeconds, both] as const
  }
  const [own, ...others] = lanes
  const ahead = others.map((other) => {
    const [all, prices, both] = perCore(other).map((rate, i) => (perCore(own!)[i]! / rate).toFixed(2))
    return `${other.name}: ${all} times as many of all rows, ${prices} of the prices, ${both} of both.`
  })
  return [
    table(
      ['', 'all rows, s', 'thousand facts/s', 'processor s', 'every price, s', 'thousand facts/s', 'processor s', 'peak MB'],
      lanes.map(({ name, first, changes, peakBytes }) => [
        name,
        spread([first.seconds]),
        thousandRows(facts, [first.seconds]),
        spread([first.cpuSeconds]),
        spread([changes.seconds]),
        thousandRows(repriced, [changes.seconds]),
        spread([changes.cpuSeconds]),
        megabytes([peakBytes]),
      ]),
    ),
    '',
    table(
      ['thousand facts a processor second', 'all rows', 'every price', 'both'],
      lanes.map((lane) => [lane.name, ...perCore(lane).map((rate) => spread([rate / 1000]))]),
    ),
    '',
    `Facts a processor second, Tidemark beside ${ahead.join(' Beside ')}`,
    '',
    'Both read topics of changes by key with the same messages (upsert-kafka, JSON), with a process start each. Tidemark writes a row with',
    'five features for every fact, by two processes whose memory is added up; Flink writes an account with the same five, for every',
    'change or once a second.',
  ].join('\n')
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`bench:shop: ${error.what}. ${error.todo}\n`)
  process.exitCode = error.exitCode
}
