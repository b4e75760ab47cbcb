/** `up`: the consumer and the sink in one process. */
import { consumeAll } from '../consumer/consume-all.ts'
import { sink } from '../sink/sink.ts'
import type { Run } from './command.ts'
import { computedText, consumerNews } from './consume.ts'
import { count } from './console.ts'
import { nothingYet } from './sets.ts'
import { sinkNews } from './sink.ts'
import { withPorts } from './stage.ts'

export const run: Run = async ({ options, config, console, signal }) =>
  withPorts({ config, console }, ['consume', 'sink'], async (ports) => {
    const first = await nothingYet(config)
    const follow = options['untilCaughtUp'] !== true
    const [computed, written] = [consumerNews(console), sinkNews(console, ports.warehouse)]
    const consuming = () => consumeAll(ports, { follow, signal: both, report: computed.report, nothingYet: first, note: console.note })
    const sinking = () => sink(ports, { partitions: config.log.partitions, nothingYet: first, follow, signal: both, report: written.report, note: console.note })

    // If one of the two fails, the other finishes its batch and the process ends with the message.
    const failed = new AbortController()
    const both = AbortSignal.any([signal, failed.signal])
    if (follow) await Promise.all([consuming(), sinking()].map((task) => task.catch((error: unknown) => (failed.abort(), Promise.reject(error)))))
    else {
      await consuming()
      await sinking()
    }
    console.result(`${computedText(computed.total)}, wrote ${count(written.total.rows)} rows`, { ...computed.total, written: written.total.rows })
  })
