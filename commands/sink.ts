/** `sink`: the outflow of every stream into the warehouse. */
import { partitionsFor } from '../config/config.ts'
import { sinkOutflow } from '../use-cases/sink.ts'
import type { BothOptions } from '../use-cases/up.ts'
import { count } from '../utilities/values/digits.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import type { CommandBody } from './command.ts'
import type { Console } from './console.ts'
import { nothingYet } from './first-apply.ts'
import { withPorts } from './stage.ts'

export const run: CommandBody = async ({ options, config, console, signal }) =>
  withPorts({ config, console }, ['sink'], async (ports) => {
    const done = await sinkOutflow(ports, {
      partitionsFor: (stream) => partitionsFor(config, stream),
      nothingYet: () => nothingYet(config),
      follow: options['untilCaughtUp'] !== true,
      signal,
      report: sinkNews(console, ports.warehouse),
      note: console.note,
    })
    console.result(`wrote ${count(done.rows)} rows${signal.aborted ? ' (stopped; the next start goes on from here)' : ''}`, done)
  })

/** Says what a person should know of what the sink reports. */
export function sinkNews(console: Console, { flush }: Pick<Warehouse, 'flush'>): BothOptions['written'] {
  // Where rows are gathered for one large write, much of a wait is that write.
  const progress = console.progress('sink', { mostWaitMs: flush ? 6 * flush.everyMs : 1000 })
  return ({ topic, rows, unreadable }) => {
    if (unreadable > 0) console.note(`sink: ${count(unreadable)} messages of ${topic} are no rows of ours and were left out`)
    progress(rows)
  }
}
