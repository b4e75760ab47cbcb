/** `up`: the border, the consumer, the sink and the ticks of facts in one process. */
import { partitionsFor, topicsOf } from '../config/config.ts'
import type { Config } from '../config/shape.ts'
import { tablesOf } from '../schemas/joined.ts'
import type { IngestAsked } from '../use-cases/ingest.ts'
import { consumeAndSink } from '../use-cases/up.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { computedText, consumerNews } from './consume.ts'
import { nothingYet } from './first-apply.ts'
import { ingestAll, ingestedText } from './ingest.ts'
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
      ingest: isFed(config) ? (stop) => ingestAll(ports, config, console, { ...running, signal: stop }) : undefined,
    })
    const { ingested, ...rest } = done
    const lines = [...(ingested ? [ingestedText(ingested)] : []), `${computedText(done)}, wrote ${count(done.written)} rows`]
    console.result(lines.join('\n'), { ...rest, ...(ingested && { ingested }) })
  })

const isFed = (config: Config): boolean => Object.keys(topicsOf(config)).length > 0

const leasesOf = (config: Config): readonly string[] => ['consume', 'sink', ...(isFed(config) ? ['topics'] : [])]
