/** Measures a lane on Kafka from outside: what a reader of committed messages sees of its topic, and when. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../utilities/values/problem.ts'
import { watch, type Command } from './process.ts'
import type { Topics } from './topics.ts'

export type Measured = {
  readonly rows: number
  /** From the start of the process until the last row was visible. */
  readonly seconds: number
  /** Rows a second from the first sight of its output on; undefined when too little was left to see by then. */
  readonly rate: number | undefined
  /** Of the whole process and all that it started, until it was gone. */
  readonly cpuSeconds: number
  readonly peakBytes: number
  /** Of the broker meanwhile. */
  readonly brokerSeconds: number
  /** What other programs took of all processors meanwhile. */
  readonly othersShare: number
}

type Work = {
  readonly name: string
  readonly command: Command
  readonly topic: string
  readonly rows: number
  readonly service: boolean
  readonly broker: number
}

const everyMs = 20
/** Nothing more comes from a service that has been still for so long. */
const stillMs = 1500
const stuckMs = 60_000

export async function measure(topics: Topics, { name, command, topic, rows, service, broker }: Work): Promise<Measured> {
  const lane = watch(command, { name, partners: [broker] })
  let first: { readonly atMs: number; readonly end: number } | undefined
  let last = { atMs: lane.startedMs, end: await topics.end(topic) }
  const look = async () => {
    const end = await topics.end(topic)
    if (end === last.end) return
    last = { atMs: performance.now(), end }
    first ??= last
  }
  try {
    for (;;) {
      const ended = lane.ended()
      await look()
      if (ended) break
      const quietMs = performance.now() - last.atMs
      if (service && last.end >= rows && quietMs > stillMs) break
      if (quietMs > stuckMs)
        throw new Problem(
          `${name} has stood still for ${stuckMs / 1000} s, with its topic at ${last.end} of ${rows}`,
          'Run it alone to see why.',
        )
      await sleep(everyMs)
    }
  } catch (error) {
    await lane.stop().catch(() => undefined)
    throw error
  }
  const { cpuSeconds, peakBytes, partnersSeconds, othersShare } = await (service ? lane.stop() : lane.done)
  // Marks of transactions take offsets too, so shares of the topic are reckoned with instead of rows.
  const seenShare = first ? (last.end - first.end) / last.end : 0
  return {
    rows,
    seconds: (last.atMs - lane.startedMs) / 1000,
    rate: seenShare >= 0.5 ? (rows * seenShare) / ((last.atMs - first!.atMs) / 1000) : undefined,
    cpuSeconds,
    peakBytes,
    brokerSeconds: partnersSeconds,
    othersShare,
  }
}
