/** `up`: the border, the consumer, the sink, the ticks of facts and the answers to services in one process. */
import { partitionsFor, topicsOf } from '../config/config.ts'
import type { Config } from '../config/shape.ts'
import type { Ports } from '../config/wire.ts'
import { tablesOf } from '../schemas/joined.ts'
import { streamedSets } from '../streams/known-versions.ts'
import type { IngestAsked } from '../use-cases/ingest.ts'
import { consumeAndSink } from '../use-cases/up.ts'
import { count } from '../utilities/values/digits.ts'
import { Held } from '../utilities/lease.ts'
import { NoPort } from '../web/server.ts'
import type { CommandBody, Options } from './command.ts'
import type { Console } from './console.ts'
import { computedText, consumerNews } from './consume.ts'
import { nothingYet } from './first-apply.ts'
import { ingestAll, ingestedText } from './ingest.ts'
import { answerServices, webAsked } from './serve.ts'
import { sinkNews } from './sink.ts'
import { withPorts } from './stage.ts'

type Passed = Parameters<IngestAsked['passed']>[0]

export const run: CommandBody = async ({ options, config, console, signal }) =>
  withPorts({ config, console }, leasesOf(config), async (ports) => {
    const topics = topicsOf(config)
    const follow = options['untilCaughtUp'] !== true
    // Until it has looked, nothing has passed.
    let passed: Passed = (name) => (Object.hasOwn(topics, name) ? 0 : Infinity)
    const hear = (now: Passed) => (passed = (name) => (Object.hasOwn(topics, name) ? now(name) : Infinity))
    const running = { acceptSnapshot: [], acceptGap: [], acceptLoss: [], follow, passed: hear }
    const done = await consumeAndSink(ports, {
      partitionsFor: (stream) => partitionsFor(config, stream),
      nothingYet: () => nothingYet(config),
      follow,
      signal,
      note: console.note,
      computed: consumerNews(console),
      written: sinkNews(console, ports.warehouse),
      ticks: {
        ticks: config.ticks,
        partitions: (fact) => partitionsFor(config, fact),
        passed: (fact) => Math.min(...tablesOf(fact).map(({ name }) => passed(name))),
        report: ({ stream, at }) => console.note(`${stream}: ${at} has come`),
        note: console.note,
      },
      serve: options['serve'] === false ? undefined : (stop) => answerBeside(ports, config, options, console, stop),
      ingest: isFed(config) ? (stop) => ingestAll(ports, config, console, { ...running, signal: stop }) : undefined,
    })
    const { ingested, ...rest } = done
    const lines = [...(ingested ? [ingestedText(ingested)] : []), `${computedText(done)}, wrote ${count(done.written)} rows`]
    console.result(lines.join('\n'), { ...rest, ...(ingested && { ingested }) })
  })

/**
 * Another process of this store may answer already. Where nobody asked for a port, one that is taken is no reason not to compute; where
 * somebody did, it is a mistake.
 */
async function answerBeside(ports: Ports, config: Config, options: Options, console: Console, stop: AbortSignal): Promise<void> {
  // The consumer says so, and all ends.
  if ((await streamedSets(ports.registry)).length === 0) return
  const isAsked = [config.web, options['host'], options['port']].some((one) => one !== undefined)
  try {
    await answerServices(ports, webAsked(config, options), console, stop)
  } catch (error) {
    if (!(error instanceof Held || (error instanceof NoPort && !isAsked))) throw error
    console.note(`services are not answered here: ${error.message} All else goes on; --no-serve says that this is meant.`)
  }
}

const isFed = (config: Config): boolean => Object.keys(topicsOf(config)).length > 0

const leasesOf = (config: Config): readonly string[] => ['consume', 'sink', ...(isFed(config) ? ['topics'] : [])]
