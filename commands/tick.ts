/** `tick`: says in a stream of facts that a date has come. */
import { partitionsFor } from '../config/config.ts'
import { definitionsOf } from '../config/definitions.ts'
import { tickStream } from '../use-cases/tick.ts'
import type { CommandBody } from './command.ts'
import { day, moment } from './moments.ts'
import { withPorts } from './stage.ts'
import { usage } from './words.ts'

export const run: CommandBody = async ({ args, options, config, console }) => {
  const [stream] = args
  const { at } = options
  if (typeof at !== 'string') throw usage('--at is missing', 'Say which date has come, e.g. --at 2026-01-31.')
  const definitions = await definitionsOf(config)
  await withPorts({ config, console }, ['ingest'], async (ports) => {
    const done = await tickStream(ports, {
      definitions: [...definitions.values()].flat(),
      stream: stream!,
      partitions: (fact) => partitionsFor(config, fact),
      at: (kind) => (kind === 'date' ? day('at', at) : Number(moment('at', at) / 1000n)),
    })
    const text = { ticked: `${done.stream}: ${done.at} has come`, 'had come': `${done.stream}: ${done.at} had come already` }
    console.result(text[done.ended], done)
  })
}
