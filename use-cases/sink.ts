/** `sink`: runs the sink, and says what became of the messages that it read. */
import type { SinkOptions, SinkPorts } from '../sink/ports.ts'
import { sink } from '../sink/sink.ts'

export async function sinkOutflow(ports: SinkPorts, options: SinkOptions) {
  const total = { rows: 0, unreadable: 0 }
  await sink(ports, {
    ...options,
    report(news) {
      total.rows += news.rows
      total.unreadable += news.unreadable
      options.report(news)
    },
  })
  return total
}
