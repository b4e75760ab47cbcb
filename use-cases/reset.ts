/** `reset`: deletes the records of a topic that all of its readers have taken. */
import { isFact } from '../schemas/fact.ts'
import { loadPosition } from '../streams/position.ts'
import { setsOver, streamedSets } from '../streams/known-versions.ts'
import { factsReader, ownerOf, sinkReader, type Stream } from '../streams/stream.ts'
import type { Lease } from '../utilities/lease.ts'
import type { TopicState } from '../utilities/log.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { VersionPorts } from '../versions/bring.ts'
import { unfinishedIn } from '../versions/unfinished.ts'
import type { Leasing } from './repair.ts'
import { partitionsOf } from './topics.ts'

/** Up to where everybody has read, and who is the last of them. */
type Limit = { readonly offset: number; readonly reader: string }

export type ResetDue = {
  readonly topic: string
  /** Whether it has several partitions. */
  readonly several: boolean
  /** How many offsets go, or have gone. */
  readonly offsets: number
  /** Whether each of them is a record. */
  readonly gapless: boolean
  /** Of each partition that was asked about, which holds the offsets `first` to `next` (excluded): those before one go. */
  readonly cuts: readonly {
    readonly partition: number
    readonly first: number
    readonly next: number
    readonly before: number
    readonly limit: Limit
  }[]
}

export type Reset = ResetDue & { readonly ended: 'nothing to do' | 'declined' | 'deleted' }

type ResetAsked = {
  readonly stream: Stream
  /** One of the stream's. */
  readonly topic: string
  /** As many as may go, without one. */
  readonly before: number | undefined
  /** All of them, without one. */
  readonly partition: number | undefined
  readonly agree: (due: ResetDue) => Promise<boolean>
}

type Ports = VersionPorts & Leasing

export async function resetTopic(ports: Ports, asked: ResetAsked): Promise<Reset> {
  const { topic } = asked
  return withSetsAtRest(ports, asked, async () => {
    const state = (await ports.log.topics()).find((one) => one.topic === topic)
    const cuts = state ? await cutsOf(ports, state, asked) : []
    const offsets = cuts.reduce((sum, { first, before }) => sum + before - first, 0)
    const due = { topic, several: (state?.partitions.length ?? 0) > 1, offsets, gapless: ports.log.gapless ?? false, cuts }
    if (offsets === 0) return { ...due, ended: 'nothing to do' }
    if (!(await asked.agree(due))) return { ...due, ended: 'declined' }
    for (const { partition, first, before } of cuts) if (before > first) await ports.log.truncate(topic, partition, before)
    return { ...due, ended: 'deleted' }
  })
}

/** Before which offset each partition is cut; refuses to go beyond what has been taken. */
async function cutsOf(ports: Ports, state: TopicState, { stream, before: asked, partition: one }: ResetAsked): Promise<ResetDue['cuts']> {
  const { topic } = state
  const partitions = partitionsOf(state, one)
  if (asked !== undefined && partitions.length > 1) {
    const todo = 'Leave out --before, or add --partition N.'
    throw new Problem(`${topic} has ${partitions.length} partitions, each with offsets of its own`, todo, { usage: true })
  }
  return Promise.all(
    partitions.map(async ({ partition, first, next }) => {
      const limit = await limitOf(ports, { stream, topic }, partition, next)
      if (asked !== undefined && asked > limit.offset) {
        throw new Problem(
          `${limit.reader} has taken ${topic} only up to offset ${limit.offset}, and --before is ${asked}`,
          `Use --before ${limit.offset} at most.`,
        )
      }
      return { partition, first, next, limit, before: Math.max(first, Math.min(asked ?? limit.offset, next)) }
    }),
  )
}

async function limitOf(
  { warehouse, registry, checkpoints }: Ports,
  { stream, topic }: Pick<ResetAsked, 'stream' | 'topic'>,
  partition: number,
  next: number,
): Promise<Limit> {
  if (topic === stream.dead) return { offset: next, reader: topic }
  if (topic === stream.outflow) {
    return { offset: Math.min(next, (await warehouse.progress(sinkReader(stream, partition))) ?? 0), reader: 'the sink' }
  }
  const limits: Limit[] = []
  const sets = await streamedSets(registry, stream)
  for (const one of sets) {
    limits.push({ offset: Math.min(next, (await loadPosition(checkpoints, ownerOf(one), partition)).offset), reader: one.set })
  }
  if (sets.some(({ record }) => isFact(record)))
    limits.push({ offset: Math.min(next, (await warehouse.progress(factsReader(stream, partition))) ?? 0), reader: 'the sink' })
  return limits.sort((a, b) => a.offset - b.offset)[0] ?? { offset: 0, reader: 'no feature set is applied, so nobody' }
}

/** While records of inflow go, no version may be in the middle of replaying them, nor have to take that up again. */
async function withSetsAtRest<T>(ports: Ports, { stream, topic }: ResetAsked, work: () => Promise<T>): Promise<T> {
  if (topic !== stream.inflow) return work()
  const held: Lease[] = []
  try {
    for (const { set } of await setsOver(ports.registry, stream)) {
      held.push(await ports.lease(`apply-${set}`))
      const [line] = await unfinishedIn(ports, set)
      if (line !== undefined) throw new Problem(`records of ${topic} may be needed to finish what was begun`, line)
    }
    return await work()
  } finally {
    for (const lease of held) await lease.close()
  }
}
