/** `up`: consumer and sink side by side. */
import type { ConsumeAllOptions } from '../consumer/consume-all.ts'
import type { ConsumerPorts } from '../consumer/consume.ts'
import type { SinkOptions, SinkPorts } from '../sink/ports.ts'
import { consumeInflow } from './consume.ts'
import { sinkOutflow } from './sink.ts'

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
