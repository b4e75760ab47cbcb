/** The always-on work, by the consumer, by the sink, or by both, and what became of the messages that they read. */
import { consumeAll, type ConsumeAllOptions } from '../consumer/consume-all.ts'
import type { ConsumerPorts } from '../consumer/consume.ts'
import { sink, type SinkOptions, type SinkPorts } from '../sink/sink.ts'

export type Computed = Awaited<ReturnType<typeof consumeInflow>>

export async function consumeInflow(ports: ConsumerPorts, options: ConsumeAllOptions) {
  const total = { rows: 0, duplicates: 0, dead: 0 }
  await consumeAll(ports, {
    ...options,
    report(news) {
      if (news.kind === 'batch') {
        total.rows += news.rows
        total.duplicates += news.duplicates
        total.dead += news.dead
      }
      options.report(news)
    },
  })
  return total
}

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

export type BothOptions = Omit<ConsumeAllOptions & SinkOptions, 'report'> & {
  readonly computed: ConsumeAllOptions['report']
  readonly written: SinkOptions['report']
}

/** Both at once or, where they are to end by themselves, one after the other. */
export async function consumeAndSink(ports: ConsumerPorts & SinkPorts, { computed, written, ...options }: BothOptions) {
  // If one of the two fails, the other finishes its batch and the process ends with the message.
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const consuming = () => consumeInflow(ports, { ...options, signal, report: computed })
  const sinking = () => sinkOutflow(ports, { ...options, signal, report: written })
  const orStop = <T>(task: Promise<T>) => task.catch((error: unknown) => (failed.abort(), Promise.reject(error)))
  const [total, { rows }] = options.follow
    ? await Promise.all([orStop(consuming()), orStop(sinking())])
    : [await consuming(), await sinking()]
  return { ...total, written: rows }
}
