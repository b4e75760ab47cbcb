/** `up`: the border, consumer and sink side by side, the ticks of facts, and what services are answered. */
import type { ConsumeAllOptions } from '../consumer/consume-all.ts'
import type { ConsumerPorts } from '../consumer/consume.ts'
import type { SinkOptions, SinkPorts } from '../sink/ports.ts'
import { consumeInflow } from './consume.ts'
import type { SourceDone } from './ingest.ts'
import { sinkOutflow } from './sink.ts'
import { tickByTheClock, type TicksOptions, type TicksPorts } from './ticks.ts'

export type BothOptions = Omit<ConsumeAllOptions & SinkOptions, 'report'> & {
  readonly computed: ConsumeAllOptions['report']
  readonly written: SinkOptions['report']
  readonly ticks: Omit<TicksOptions, 'signal'>
  /** Reads topics of others; undefined where nothing comes from one. */
  readonly ingest: ((signal: AbortSignal) => Promise<readonly SourceDone[]>) | undefined
  /** Answers services until it is told to stop; undefined where nobody is to be answered. */
  readonly serve?: ((signal: AbortSignal) => Promise<void>) | undefined
}

/**
 * All at once, with ticks by the clock; or, where they are to end by themselves, one after the other, and dates come when they are told to.
 */
export async function consumeAndSink(
  ports: ConsumerPorts & SinkPorts & TicksPorts,
  { computed, written, ticks, ingest, serve, ...options }: BothOptions,
) {
  // If one of them fails, the others finish their batches and the process ends with the message.
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const consuming = () => consumeInflow(ports, { ...options, signal, report: computed })
  const sinking = () => sinkOutflow(ports, { ...options, signal, report: written })
  const orStop = <T>(task: Promise<T>) => task.catch((error: unknown) => (failed.abort(), Promise.reject(error)))
  const reading = async () => ingest?.(signal)
  const serving = async () => serve?.(signal)
  if (!options.follow) {
    const ingested = await reading()
    const [total, { rows }] = [await consuming(), await sinking()]
    return { ...total, written: rows, ingested }
  }
  const [total, { rows }, , ingested] = await Promise.all([
    orStop(consuming()),
    orStop(sinking()),
    orStop(tickByTheClock(ports, { ...ticks, signal })),
    orStop(reading()),
    orStop(serving()),
  ])
  return { ...total, written: rows, ingested }
}
