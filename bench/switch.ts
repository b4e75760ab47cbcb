/**
 * `npm run bench:switch`: versions switched beside a stream at full speed, with a million keys: for how long the stream stands, and what
 * each process needs.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readConfig } from '../config/config.ts'
import { wire } from '../config/wire.ts'
import { registerInflow } from '../streams/inflow.ts'
import { ensureTopics } from '../streams/routing.ts'
import { streamOf } from '../streams/stream.ts'
import { date, number, record, text } from '../schemas/record.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { encoder } from '../schemas/avro/encode.ts'
import type { Columns } from '../utilities/values/columns.ts'
import { run, start } from './child.ts'
import { inScratch, type Scratch } from './scratch.ts'

const definitions = `import { date, featureSet, mean, number, record, text } from 'tidemark'
const account = text('account', { bytes: 16, nullable: false })
export const visit = record('visit', 'day', { account, day: date('day', { nullable: false }), amount: number('amount') })
export const v0 = featureSet({ name: 'visits', of: visit, per: 'account' }, { recent: mean('amount', { last: 5, round: 3 }) })
export const v1 = v0.add({ longer: mean('amount', { last: 9, round: 3 }) })
export const v2 = v1.replace({ recent: mean('amount', { last: 4, round: 3 }) })
export const v3 = v2.add({ longest: mean('amount', { last: 12, round: 3 }) })
`
const visit = record('visit', 'day', {
  account: text('account', { bytes: 16, nullable: false }),
  day: date('day', { nullable: false }),
  amount: number('amount'),
})
const rowsPerBatch = 10_000

/** Every key comes once before any comes again. */
function visits(keys: number, from: number): Columns {
  const texts = Array.from({ length: rowsPerBatch }, (_, i) => `account-${(from + i) % keys}`)
  const bytes = Buffer.from(texts.join(''))
  const ends = new Int32Array(rowsPerBatch)
  texts.reduce((end, one, i) => (ends[i] = end + one.length), 0)
  const starts = Int32Array.from(ends, (_, i) => (i === 0 ? 0 : ends[i - 1]!))
  return {
    count: rowsPerBatch,
    byName: new Map([
      ['_seq', { kind: 'int', values: Float64Array.from({ length: rowsPerBatch }, (_, i) => from + i + 1) }],
      ['account', { kind: 'text', bytes, starts, ends }],
      ['day', { kind: 'date', days: new Int32Array(rowsPerBatch).fill(14_000) }],
      ['amount', { kind: 'number', values: Float64Array.from({ length: rowsPerBatch }, (_, i) => ((from + i) % 9973) / 100) }],
    ]),
  }
}

const say = (words: string) => process.stdout.write(`${words}\n`)

/** Each mode is another version's; at the end the last one is rolled back. */
async function measure(keys: number, modes: readonly string[], { dir, configFile }: Scratch): Promise<void> {
  const features = join(dir, 'visits.ts')
  writeFileSync(features, definitions)
  const config = { ...readConfig(configFile, process.env), features }
  writeFileSync(configFile, JSON.stringify(config))
  const command = (words: string) => ['tidemark.js', [...words.split(' '), '--config', configFile]] as const
  await run(...command('apply visits@0 --yes'))

  const ports = await wire(config)
  try {
    const encode = encoder(inflowSchema(visit), (await registerInflow(ports.registry, visit)).id)
    const stream = streamOf(visit)
    await ensureTopics(ports, stream, 1)
    const writer = await ports.log.writer('bench')
    let produced = 0
    const produce = async () => {
      await writer.commit({ append: [{ topic: stream.inflow, partition: 0, batch: encode(visits(keys, produced)) }] })
      produced += rowsPerBatch
    }
    while (produced < keys) await produce()
    await run(...command('consume --until-caught-up'))
    say(`${keys} keys, one record each, are taken; now the stream goes on at full speed`)

    const consume = start(...command('consume'))
    let going = true
    const next = async () => (await ports.log.topics()).find(({ topic }) => topic === stream.outflow)!.partitions[0]!.next
    // The consumer always finds something, and never so much that it falls behind for ever.
    const producing = (async () => {
      while (going) {
        if (produced < (await next()) + 20 * rowsPerBatch) await produce()
        else await sleep(1)
      }
    })()
    let [pauseMs, movedMs, seen] = [0, performance.now(), await next()]
    const watching = (async () => {
      while (going) {
        const now = await next()
        if (now > seen) [seen, movedMs] = [now, performance.now()]
        pauseMs = Math.max(pauseMs, performance.now() - movedMs)
        await sleep(5)
      }
    })()
    const stood = async (what: string, work: () => Promise<unknown>) => {
      ;[pauseMs, movedMs] = [0, performance.now()]
      const [beganMs, before] = [performance.now(), await next()]
      await work()
      const seconds = (performance.now() - beganMs) / 1000
      await sleep(1000)
      say(
        `${what}: ${seconds.toFixed(1)} s, in which the stream computed ${Math.round(((await next()) - before) / 1000)} thousand ` +
          `rows; longest pause ${Math.round(pauseMs)} ms`,
      )
    }
    try {
      await sleep(3000)
      await stood('nothing, for comparison', () => sleep(5000))
      for (const [i, mode] of modes.entries()) {
        await stood(`apply visits@${i + 1} --${mode}`, async () => {
          const { peakBytes } = await run(...command(`apply visits@${i + 1} --${mode} --yes`))
          say(`  peak memory of apply ${Math.round(peakBytes / 1e6)} MB`)
        })
      }
      await stood('rollback', () => run(...command('rollback visits --yes')))
    } finally {
      going = false
      await Promise.all([producing, watching])
      const { peakBytes } = await consume.stop()
      say(`peak memory of consume ${Math.round(peakBytes / 1e6)} MB`)
    }
  } finally {
    await ports.close()
  }
}

const modes = ['cold', 'forward-only', 'backfill'] as const
const { values } = parseArgs({
  options: { keys: { type: 'string', default: '1000000' }, modes: { type: 'string', default: modes.join() } },
})
await inScratch((scratch) => measure(Number(values.keys), values.modes.split(','), scratch))
