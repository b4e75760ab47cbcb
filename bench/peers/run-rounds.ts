/**
 * Round after round over all lanes, with one broker; says how each lane went. Ctrl-C ends it after the lane in hand, and what was measured
 * counts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startKafka } from '../../test/kafka/broker.ts'
import type { Data } from '../data.ts'
import type { Expected } from './expected.ts'
import type { Options } from './options.ts'
import { quietMachine } from './process.ts'
import { batchRound, kafkaRound, type Outcome, type ReadyBatch, type ReadyProducer, type ReadyStream, type Report } from './rounds.ts'
import { openTopics } from './topics.ts'

export type Lanes = {
  readonly producers: readonly ReadyProducer[]
  readonly streams: readonly ReadyStream[]
  readonly batches: readonly ReadyBatch[]
}

/** By the word of a lane, then by the number of the round. */
export type Outcomes = ReadonlyMap<string, ReadonlyMap<number, Outcome>>

type Work = { readonly data: Data; readonly expected: Expected; readonly options: Options; readonly say: (text: string) => void }

const patienceMs = 300_000

export async function runRounds({ producers, streams, batches }: Lanes, { data, expected, options, say }: Work): Promise<Outcomes> {
  const { rounds, othersAtMost, keys } = options
  const outcomes = new Map<string, Map<number, Outcome>>()
  const broker = producers.length + streams.length > 0 ? await startKafka() : undefined
  const kafka = broker && {
    brokers: broker.brokers,
    topics: await openTopics(broker.brokers),
    pid: Number(readFileSync(join(broker.directory, 'pid'), 'utf8')),
  }
  let stopped = false
  const stop = () => {
    stopped = true
    say('stopping after the lane in hand')
  }
  process.once('SIGINT', stop)

  const reportOf = (round: number): Report => ({
    async ready(word) {
      const quiet = othersAtMost === 1 || (await quietMachine(othersAtMost, patienceMs, () => stopped))
      if (!quiet && !stopped) say(`round ${round}: ${word} is left out, the machine was never quiet`)
      return quiet && !stopped
    },
    done(outcome) {
      const {
        word,
        measured: { othersShare },
      } = outcome
      const counts = othersShare <= othersAtMost
      if (counts) outcomes.set(word, (outcomes.get(word) ?? new Map<number, Outcome>()).set(round, outcome))
      say(`round ${round}: ${outcomeText(outcome)}${counts ? '' : ': it does not count'}`)
    },
    failed(word, why) {
      say(`round ${round}: ${word} FAILED: ${why}`)
      process.exitCode = 1
    },
  })
  try {
    for (let number = 1; number <= rounds && !stopped; number++) {
      const round = { number, data, expected, report: reportOf(number), keyed: keys !== undefined }
      if (kafka) await kafkaRound(kafka, round, producers, streams)
      await batchRound(round, batches)
    }
  } finally {
    process.off('SIGINT', stop)
    await kafka?.topics.close()
    await broker?.stop()
  }
  return outcomes
}

function outcomeText({ word, measured: { rows, rate, seconds, cpuSeconds, othersShare } }: Outcome): string {
  const thousands = Math.round((rate ?? rows / seconds) / 1000)
  return (
    `${word} ${seconds.toFixed(2)} s, ${thousands} thousand rows/s, ${cpuSeconds.toFixed(1)} s of processor, ` +
    `others took ${Math.round(100 * othersShare)} %`
  )
}
