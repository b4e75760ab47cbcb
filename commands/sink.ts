/** `sink`: outflow into the warehouse. */
import { sink } from '../sink/sink.ts'
import type { Warehouse } from '../utilities/warehouse/warehouse.ts'
import type { Run } from './command.ts'
import { count, type Console } from './console.ts'
import { nothingYet } from './sets.ts'
import { withPorts } from './stage.ts'

export const run: Run = async ({ options, config, console, signal }) =>
  withPorts({ config, console }, ['sink'], async (ports) => {
    const news = sinkNews(console, ports.warehouse)
    await sink(ports, { partitions: config.log.partitions, nothingYet: await nothingYet(config), follow: options['untilCaughtUp'] !== true, signal, report: news.report, note: console.note })
    console.result(`wrote ${count(news.total.rows)} rows${signal.aborted ? ' (stopped; the next start goes on from here)' : ''}`, news.total)
  })

export function sinkNews(console: Console, { flush }: Pick<Warehouse, 'flush'>) {
  const total = { rows: 0, unreadable: 0 }
  // Where rows are gathered for one large write, much of a wait is that write.
  const progress = console.progress('sink', { mostWaitMs: flush ? 6 * flush.everyMs : 1000 })
  return {
    total,
    report({ rows, unreadable }: { readonly rows: number; readonly unreadable: number }) {
      if (unreadable > 0) console.note(`sink: ${count(unreadable)} messages of outflow are no rows of ours and were left out`)
      total.rows += rows
      total.unreadable += unreadable
      progress(rows)
    },
  }
}
