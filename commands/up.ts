/** `up`: the consumer, the sink and the ticks of facts in one process. */
import { partitionsFor } from '../config/config.ts'
import { consumeAndSink } from '../use-cases/up.ts'
import { count } from '../utilities/values/digits.ts'
import type { CommandBody } from './command.ts'
import { computedText, consumerNews } from './consume.ts'
import { nothingYet } from './first-apply.ts'
import { sinkNews } from './sink.ts'
import { withPorts } from './stage.ts'

export const run: CommandBody = async ({ options, config, console, signal }) =>
  withPorts({ config, console }, ['consume', 'sink'], async (ports) => {
    const done = await consumeAndSink(ports, {
      partitionsFor: (stream) => partitionsFor(config, stream),
      nothingYet: () => nothingYet(config),
      follow: options['untilCaughtUp'] !== true,
      signal,
      note: console.note,
      computed: consumerNews(console),
      written: sinkNews(console, ports.warehouse),
      ticks: {
        ticks: config.ticks,
        partitions: (fact) => partitionsFor(config, fact),
        report: ({ stream, at }) => console.note(`${stream}: ${at} has come`),
        note: console.note,
      },
    })
    console.result(`${computedText(done)}, wrote ${count(done.written)} rows`, done)
  })
